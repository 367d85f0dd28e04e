// Polynomials in the place of calls of the math library, for single precision; `approximate.py` clones their bodies,
// for vectors too. Coefficients: weighted Lawson iteration in double precision, rounded; the bounds beside the functions
// are of the largest error over all arguments tried by tests/codegen/test_approximate.py, in units in the last place.
// NaNs, infinities, signed zeros and subnormal numbers are as in the C library; @gelu of them is its limit. Only products
// and the sums they go into may be contracted; range reduction needs every other operation as it is written.

// exp(r), |r| <= log(2)/2; beyond, it is positive, infinite, or NaN.
func.func private @exp_of_rest(%r: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %c6 = arith.constant 0.0013814540579915047 : f32
  %c5 = arith.constant 0.00836874544620514 : f32
  %c4 = arith.constant 0.04166838899254799 : f32
  %c3 = arith.constant 0.1666652113199234 : f32
  %c2 = arith.constant 0.4999999403953552 : f32
  // By pairs: a chain of sums would be waited for.
  %r2 = arith.mulf %r, %r : f32
  %m4 = arith.mulf %c5, %r fastmath<contract> : f32
  %p4 = arith.addf %m4, %c4 fastmath<contract> : f32
  %m6 = arith.mulf %c6, %r2 fastmath<contract> : f32
  %p6 = arith.addf %m6, %p4 fastmath<contract> : f32
  %m3 = arith.mulf %c3, %r fastmath<contract> : f32
  %p3 = arith.addf %m3, %c2 fastmath<contract> : f32
  %m2 = arith.mulf %p6, %r2 fastmath<contract> : f32
  %p2 = arith.addf %m2, %p3 fastmath<contract> : f32
  %p1 = arith.addf %r, %one : f32
  %m0 = arith.mulf %p2, %r2 fastmath<contract> : f32
  %e = arith.addf %m0, %p1 fastmath<contract> : f32
  return %e : f32
}

// 1.3 ulp. exp(x) = 2^n exp(r), |r| <= log(2)/2. What is subnormal in the end is made 2^25 times larger, the rest smaller.
func.func private @exp(%x: f32) -> f32 {
  %zero = arith.constant 0.0 : f32
  %lowest = arith.constant -104.0 : f32
  %highest = arith.constant 89.0 : f32
  %log2e = arith.constant 1.44269504 : f32
  // 1.5 * 2^23 + 127 + 25, and - 25: a float this large holds integers, so adding it rounds to the nearest one, which
  // stands in the lowest bits with the exponent's bias.
  %round_up = arith.constant 12583064.0 : f32
  %round_down = arith.constant 12583014.0 : f32
  %two25 = arith.constant 33554432.0 : f32
  %two_minus25 = arith.constant 2.98023224e-8 : f32
  // log(2) in two parts; products of the first with n are exact.
  %ln2_high = arith.constant 0.693359375 : f32
  %ln2_low = arith.constant -2.12194440e-4 : f32
  %mantissa = arith.constant 23 : i32
  // Comparisons are false for NaN, which so stays in.
  %below = arith.cmpf olt, %x, %lowest : f32
  %raised = arith.select %below, %lowest, %x : f32
  %above = arith.cmpf ogt, %raised, %highest : f32
  %a = arith.select %above, %highest, %raised : f32
  %negative = arith.cmpf olt, %x, %zero : f32
  %round = arith.select %negative, %round_up, %round_down : f32
  %last = arith.select %negative, %two_minus25, %two25 : f32
  %scaled = arith.mulf %a, %log2e fastmath<contract> : f32
  %shifted = arith.addf %scaled, %round fastmath<contract> : f32
  %n = arith.subf %shifted, %round : f32
  %n_high = arith.mulf %n, %ln2_high fastmath<contract> : f32
  %r_high = arith.subf %a, %n_high fastmath<contract> : f32
  %n_low = arith.mulf %n, %ln2_low fastmath<contract> : f32
  %r = arith.subf %r_high, %n_low fastmath<contract> : f32
  %e = func.call @exp_of_rest(%r) : (f32) -> f32
  %shifted_bits = arith.bitcast %shifted : f32 to i32
  %power_bits = arith.shli %shifted_bits, %mantissa : i32
  %power = arith.bitcast %power_bits : i32 to f32
  %near = arith.mulf %e, %power : f32
  %result = arith.mulf %near, %last : f32
  return %result : f32
}

// 1 ulp. log(x) = k log(2) + log(1 + f), 1 + f between sqrt(1/2) and sqrt(2).
func.func private @log(%x: f32) -> f32 {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %half = arith.constant 0.5 : f32
  %infinity = arith.constant 0x7F800000 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %nan = arith.constant 0x7FC00000 : f32
  %least_normal = arith.constant 1.17549435e-38 : f32
  %two23 = arith.constant 8388608.0 : f32
  %minus23 = arith.constant -23.0 : f32
  %root_bits = arith.constant 0x3F3504F3 : i32
  %mantissa = arith.constant 23 : i32
  %ln2_high = arith.constant 0.693359375 : f32
  %ln2_low = arith.constant -2.12194440e-4 : f32
  %c7 = arith.constant -0.07634492963552475 : f32
  %c6 = arith.constant 0.12761574983596802 : f32
  %c5 = arith.constant -0.13160182535648346 : f32
  %c4 = arith.constant 0.14201758801937103 : f32
  %c3 = arith.constant -0.16623356938362122 : f32
  %c2 = arith.constant 0.20001226663589478 : f32
  %c1 = arith.constant -0.2500081956386566 : f32
  %c0 = arith.constant 0.3333333134651184 : f32
  %subnormal = arith.cmpf olt, %x, %least_normal : f32
  %lifted = arith.mulf %x, %two23 : f32
  %normal = arith.select %subnormal, %lifted, %x : f32
  %k0 = arith.select %subnormal, %minus23, %zero : f32
  %bits = arith.bitcast %normal : f32 to i32
  %from_root = arith.subi %bits, %root_bits : i32
  %k_int = arith.shrsi %from_root, %mantissa : i32
  %k_bits = arith.shli %k_int, %mantissa : i32
  %m_bits = arith.subi %bits, %k_bits : i32
  %m = arith.bitcast %m_bits : i32 to f32
  %f = arith.subf %m, %one : f32
  %k_float = arith.sitofp %k_int : i32 to f32
  %k = arith.addf %k_float, %k0 : f32
  %m6 = arith.mulf %c7, %f fastmath<contract> : f32
  %p6 = arith.addf %m6, %c6 fastmath<contract> : f32
  %m5 = arith.mulf %p6, %f fastmath<contract> : f32
  %p5 = arith.addf %m5, %c5 fastmath<contract> : f32
  %m4 = arith.mulf %p5, %f fastmath<contract> : f32
  %p4 = arith.addf %m4, %c4 fastmath<contract> : f32
  %m3 = arith.mulf %p4, %f fastmath<contract> : f32
  %p3 = arith.addf %m3, %c3 fastmath<contract> : f32
  %m2 = arith.mulf %p3, %f fastmath<contract> : f32
  %p2 = arith.addf %m2, %c2 fastmath<contract> : f32
  %m1 = arith.mulf %p2, %f fastmath<contract> : f32
  %p1 = arith.addf %m1, %c1 fastmath<contract> : f32
  %m0 = arith.mulf %p1, %f fastmath<contract> : f32
  %p0 = arith.addf %m0, %c0 fastmath<contract> : f32
  %f2 = arith.mulf %f, %f : f32
  %f3 = arith.mulf %f2, %f : f32
  %cubic = arith.mulf %f3, %p0 fastmath<contract> : f32
  %k_low = arith.mulf %k, %ln2_low fastmath<contract> : f32
  %low = arith.addf %k_low, %cubic fastmath<contract> : f32
  %square = arith.mulf %f2, %half : f32
  %lower = arith.subf %low, %square : f32
  %near = arith.addf %lower, %f : f32
  %k_high = arith.mulf %k, %ln2_high fastmath<contract> : f32
  %r = arith.addf %k_high, %near fastmath<contract> : f32
  %is_infinite = arith.cmpf oeq, %x, %infinity : f32
  %r1 = arith.select %is_infinite, %x, %r : f32
  %is_zero = arith.cmpf oeq, %x, %zero : f32
  %r2 = arith.select %is_zero, %lowest, %r1 : f32
  %is_outside = arith.cmpf ult, %x, %zero : f32
  %r3 = arith.select %is_outside, %nan, %r2 : f32
  return %r3 : f32
}

// 1.5e-7 of the result, for |x| < 126 and nothing else: 2^x = 2^n 2^r, |r| <= 1/2.
func.func private @power_of_two(%x: f32) -> f32 {
  %round = arith.constant 12582912.0 : f32
  %one = arith.constant 1.0 : f32
  %mantissa = arith.constant 23 : i32
  %c5 = arith.constant 0.001326472731307149 : f32
  %c4 = arith.constant 0.009671512991189957 : f32
  %c3 = arith.constant 0.05550733581185341 : f32
  %c2 = arith.constant 0.24022242426872253 : f32
  %c1 = arith.constant 0.6931470036506653 : f32
  %shifted = arith.addf %x, %round fastmath<contract> : f32
  %n = arith.subf %shifted, %round : f32
  %r = arith.subf %x, %n fastmath<contract> : f32
  %m4 = arith.mulf %c5, %r fastmath<contract> : f32
  %p4 = arith.addf %m4, %c4 fastmath<contract> : f32
  %m3 = arith.mulf %p4, %r fastmath<contract> : f32
  %p3 = arith.addf %m3, %c3 fastmath<contract> : f32
  %m2 = arith.mulf %p3, %r fastmath<contract> : f32
  %p2 = arith.addf %m2, %c2 fastmath<contract> : f32
  %m1 = arith.mulf %p2, %r fastmath<contract> : f32
  %p1 = arith.addf %m1, %c1 fastmath<contract> : f32
  %m0 = arith.mulf %p1, %r fastmath<contract> : f32
  %e = arith.addf %m0, %one fastmath<contract> : f32
  // n stands in the lowest bits, and the others are shifted out.
  %shifted_bits = arith.bitcast %shifted : f32 to i32
  %exponent = arith.shli %shifted_bits, %mantissa : i32
  %bits = arith.bitcast %e : f32 to i32
  %scaled = arith.addi %bits, %exponent : i32
  %power = arith.bitcast %scaled : i32 to f32
  return %power : f32
}

// 2.5 ulp, 1.5e-7. |x| + |x|^3 P(x^2) up to 0.625, then 1 - 2 / (exp(2|x|) + 1); from 10 on it is 1.
func.func private @tanh(%x: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %two = arith.constant 2.0 : f32
  %limit = arith.constant 0.625 : f32
  %end = arith.constant 10.0 : f32
  %twice_log2e = arith.constant 2.88539008 : f32
  %c4 = arith.constant -0.0055151632986962795 : f32
  %c3 = arith.constant 0.02046941965818405 : f32
  %c2 = arith.constant -0.05368802323937416 : f32
  %c1 = arith.constant 0.1333083063364029 : f32
  %c0 = arith.constant -0.3333325982093811 : f32
  %a = math.absf %x : f32
  %s = arith.mulf %x, %x : f32
  %m3 = arith.mulf %c4, %s fastmath<contract> : f32
  %p3 = arith.addf %m3, %c3 fastmath<contract> : f32
  %m2 = arith.mulf %p3, %s fastmath<contract> : f32
  %p2 = arith.addf %m2, %c2 fastmath<contract> : f32
  %m1 = arith.mulf %p2, %s fastmath<contract> : f32
  %p1 = arith.addf %m1, %c1 fastmath<contract> : f32
  %m0 = arith.mulf %p1, %s fastmath<contract> : f32
  %p0 = arith.addf %m0, %c0 fastmath<contract> : f32
  %a3 = arith.mulf %s, %a : f32
  %bend = arith.mulf %p0, %a3 fastmath<contract> : f32
  %near = arith.addf %bend, %a fastmath<contract> : f32
  %beyond = arith.cmpf ogt, %a, %end : f32
  %t = arith.select %beyond, %end, %a : f32
  %scaled = arith.mulf %t, %twice_log2e fastmath<contract> : f32
  %e = func.call @power_of_two(%scaled) : (f32) -> f32
  %e1 = arith.addf %e, %one : f32
  %rest = arith.divf %two, %e1 : f32
  %far = arith.subf %one, %rest : f32
  // NaN is near, where it stays.
  %is_near = arith.cmpf ult, %a, %limit : f32
  %positive = arith.select %is_near, %near, %far : f32
  %r = math.copysign %positive, %x : f32
  return %r : f32
}

// 1.5 ulp. |x| + |x| P(x^2) up to 0.9375, then 1 - 2^Q(|x|); from 4 on it is 1.
func.func private @erf(%x: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %limit = arith.constant 0.9375 : f32
  %end = arith.constant 4.0 : f32
  %c5 = arith.constant -0.000586208188906312 : f32
  %c4 = arith.constant 0.004967506974935532 : f32
  %c3 = arith.constant -0.026748863980174065 : f32
  %c2 = arith.constant 0.11281320452690125 : f32
  %c1 = arith.constant -0.37612447142601013 : f32
  %c0 = arith.constant 0.12837913632392883 : f32
  %d6 = arith.constant 0.00027836751542054117 : f32
  %d5 = arith.constant -0.004348195623606443 : f32
  %d4 = arith.constant 0.03189847990870476 : f32
  %d3 = arith.constant -0.14959311485290527 : f32
  %d2 = arith.constant -0.9196562170982361 : f32
  %d1 = arith.constant -1.6266568899154663 : f32
  %d0 = arith.constant -0.00033914836240001023 : f32
  %a = math.absf %x : f32
  %s = arith.mulf %x, %x : f32
  %m4 = arith.mulf %c5, %s fastmath<contract> : f32
  %p4 = arith.addf %m4, %c4 fastmath<contract> : f32
  %m3 = arith.mulf %p4, %s fastmath<contract> : f32
  %p3 = arith.addf %m3, %c3 fastmath<contract> : f32
  %m2 = arith.mulf %p3, %s fastmath<contract> : f32
  %p2 = arith.addf %m2, %c2 fastmath<contract> : f32
  %m1 = arith.mulf %p2, %s fastmath<contract> : f32
  %p1 = arith.addf %m1, %c1 fastmath<contract> : f32
  %m0 = arith.mulf %p1, %s fastmath<contract> : f32
  %p0 = arith.addf %m0, %c0 fastmath<contract> : f32
  %bend = arith.mulf %p0, %a fastmath<contract> : f32
  %near = arith.addf %bend, %a fastmath<contract> : f32
  %beyond = arith.cmpf ogt, %a, %end : f32
  %t = arith.select %beyond, %end, %a : f32
  %n5 = arith.mulf %d6, %t fastmath<contract> : f32
  %q5 = arith.addf %n5, %d5 fastmath<contract> : f32
  %n4 = arith.mulf %q5, %t fastmath<contract> : f32
  %q4 = arith.addf %n4, %d4 fastmath<contract> : f32
  %n3 = arith.mulf %q4, %t fastmath<contract> : f32
  %q3 = arith.addf %n3, %d3 fastmath<contract> : f32
  %n2 = arith.mulf %q3, %t fastmath<contract> : f32
  %q2 = arith.addf %n2, %d2 fastmath<contract> : f32
  %n1 = arith.mulf %q2, %t fastmath<contract> : f32
  %q1 = arith.addf %n1, %d1 fastmath<contract> : f32
  %n0 = arith.mulf %q1, %t fastmath<contract> : f32
  %q0 = arith.addf %n0, %d0 fastmath<contract> : f32
  %e = func.call @power_of_two(%q0) : (f32) -> f32
  %far = arith.subf %one, %e : f32
  // NaN is near, where it stays.
  %is_near = arith.cmpf ult, %a, %limit : f32
  %positive = arith.select %is_near, %near, %far : f32
  %r = math.copysign %positive, %x : f32
  return %r : f32
}

// 4 ulp and 1.5e-7 of x Phi(x): 0 from -5.5 on. With t = |x|, Phi(-t) = 2^(t P(t) - 1), x Phi(x) = max(x, 0) - t Phi(-t).
func.func private @gelu(%x: f32) -> f32 {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %limit = arith.constant 5.5 : f32
  // As in @exp, for one less, and without the bias.
  %round = arith.constant 12582911.0 : f32
  %mantissa = arith.constant 23 : i32
  %d7 = arith.constant 5.749394404119812e-06 : f32
  %d6 = arith.constant -2.8904794817208312e-05 : f32
  %d5 = arith.constant -0.0005073369247838855 : f32
  %d4 = arith.constant 0.0075277527794241905 : f32
  %d3 = arith.constant -0.0527956597507 : f32
  %d2 = arith.constant -0.4591217041015625 : f32
  %d1 = arith.constant -1.151112675666809 : f32
  %c5 = arith.constant 0.001326472731307149 : f32
  %c4 = arith.constant 0.009671512991189957 : f32
  %c3 = arith.constant 0.05550733581185341 : f32
  %c2 = arith.constant 0.24022242426872253 : f32
  %c1 = arith.constant 0.6931470036506653 : f32
  %a = math.absf %x : f32
  // Not of NaN, which is its own greater part below.
  %is_within = arith.cmpf olt, %a, %limit : f32
  %t = arith.select %is_within, %a, %zero : f32
  %t2 = arith.mulf %t, %t : f32
  %n6 = arith.mulf %d7, %t fastmath<contract> : f32
  %q6 = arith.addf %n6, %d6 fastmath<contract> : f32
  %n5 = arith.mulf %d5, %t fastmath<contract> : f32
  %q5 = arith.addf %n5, %d4 fastmath<contract> : f32
  %n3 = arith.mulf %d3, %t fastmath<contract> : f32
  %q3 = arith.addf %n3, %d2 fastmath<contract> : f32
  %n4 = arith.mulf %q6, %t2 fastmath<contract> : f32
  %q4 = arith.addf %n4, %q5 fastmath<contract> : f32
  %n2 = arith.mulf %q4, %t2 fastmath<contract> : f32
  %q2 = arith.addf %n2, %q3 fastmath<contract> : f32
  %n1 = arith.mulf %q2, %t fastmath<contract> : f32
  %q1 = arith.addf %n1, %d1 fastmath<contract> : f32
  %q = arith.mulf %q1, %t : f32
  %shifted = arith.addf %q, %round : f32
  %n = arith.subf %shifted, %round : f32
  %r = arith.subf %q, %n : f32
  %m4 = arith.mulf %c5, %r fastmath<contract> : f32
  %p4 = arith.addf %m4, %c4 fastmath<contract> : f32
  %m3 = arith.mulf %p4, %r fastmath<contract> : f32
  %p3 = arith.addf %m3, %c3 fastmath<contract> : f32
  %m2 = arith.mulf %p3, %r fastmath<contract> : f32
  %p2 = arith.addf %m2, %c2 fastmath<contract> : f32
  %m1 = arith.mulf %p2, %r fastmath<contract> : f32
  %p1 = arith.addf %m1, %c1 fastmath<contract> : f32
  %m0 = arith.mulf %p1, %r fastmath<contract> : f32
  %e = arith.addf %m0, %one fastmath<contract> : f32
  %shifted_bits = arith.bitcast %shifted : f32 to i32
  %exponent = arith.shli %shifted_bits, %mantissa : i32
  %e_bits = arith.bitcast %e : f32 to i32
  %tail_bits = arith.addi %e_bits, %exponent : i32
  %tail = arith.bitcast %tail_bits : i32 to f32
  %is_negative = arith.cmpf olt, %x, %zero : f32
  %positive = arith.select %is_negative, %zero, %x : f32
  %less = arith.mulf %t, %tail fastmath<contract> : f32
  %result = arith.subf %positive, %less fastmath<contract> : f32
  return %result : f32
}
