// As approximate.mlir, for processors that look numbers up in registers and scale by powers of two (AVX-512): polynomials of
// few terms around the nearest of sixteen places, whose coefficients lie in a register each. Of vectors of any length the
// same numbers come out. Bounds are those of approximate.mlir's functions or lower; they stand in docs/operators.md.

// The number of `table` at the place that the lowest four bits of `index` name.
func.func private @entry(%index: i32, %table: vector<16xf32>) -> f32

// e 2^n rounded once, n rounded down before.
func.func private @scale(%e: f32, %n: f32) -> f32

func.func private @next(%p: f32, %r: f32, %index: i32, %table: vector<16xf32>) -> f32 {
  %c = func.call @entry(%index, %table) : (i32, vector<16xf32>) -> f32
  %s = math.fma %p, %r, %c : f32
  return %s : f32
}

// 1.1 ulp. exp(x) = 2^n exp(r), n a multiple of 1/16, |r| <= log(2)/32.
func.func private @exp_by_table(%x: f32) -> f32 {
  %log2e = arith.constant 1.44269504 : f32
  // 1.5 * 2^19: a float this large holds multiples of 1/16, of which its lowest bits count.
  %round = arith.constant 786432.0 : f32
  %minus_ln2_high = arith.constant -0.693359375 : f32
  %minus_ln2_low = arith.constant 2.12194440e-4 : f32
  %one = arith.constant 1.0 : f32
  %lowest = arith.constant -104.0 : f32
  %highest = arith.constant 89.0 : f32
  %c3 = arith.constant 0.1666705 : f32
  %c2 = arith.constant 0.50001633 : f32
  %powers = arith.constant dense<[
    1.0, 1.0442737, 1.0905077, 1.1387886, 1.1892071, 1.2418578, 1.2968396, 1.3542556, 1.4142135, 1.4768262, 1.5422108,
    1.6104903, 1.6817929, 1.7562522, 1.8340081, 1.9152066
  ]> : vector<16xf32>
  // Comparisons are false for NaN, which so stays in.
  %below = arith.cmpf olt, %x, %lowest : f32
  %raised = arith.select %below, %lowest, %x : f32
  %above = arith.cmpf ogt, %raised, %highest : f32
  %a = arith.select %above, %highest, %raised : f32
  %shifted = math.fma %a, %log2e, %round : f32
  %n = arith.subf %shifted, %round : f32
  %r_high = math.fma %n, %minus_ln2_high, %a : f32
  %r = math.fma %n, %minus_ln2_low, %r_high : f32
  %index = arith.bitcast %shifted : f32 to i32
  %power = func.call @entry(%index, %powers) : (i32, vector<16xf32>) -> f32
  %p2 = math.fma %c3, %r, %c2 : f32
  %p1 = math.fma %p2, %r, %one : f32
  %p0 = arith.mulf %p1, %r : f32
  %e = math.fma %p0, %power, %power : f32
  %result = func.call @scale(%e, %n) : (f32, f32) -> f32
  return %result : f32
}

// exp(-x) for what one is added to: not below exp(-87), and infinite from exp(88.71) on. A power's bits, less those that its
// place would add, and the index moved to the exponent give the power times 2^n.
func.func private @exp_in_sigmoid_by_table(%x: f32) -> f32 {
  %minus_log2e = arith.constant -1.44269504 : f32
  %round = arith.constant 786432.0 : f32
  %ln2_high = arith.constant 0.693359375 : f32
  %ln2_low = arith.constant -2.12194440e-4 : f32
  %one = arith.constant 1.0 : f32
  %lowest = arith.constant -88.73 : f32
  %highest = arith.constant 87.0 : f32
  %minus_one = arith.constant -1.0 : f32
  %minus_c3 = arith.constant -0.1666705 : f32
  %c2 = arith.constant 0.50001633 : f32
  %places = arith.constant 19 : i32
  %powers = arith.constant dense<[
    1.0, 0.990886867, 0.982753873, 0.97564429, 0.969603539, 0.964678884, 0.960919797, 0.958377779, 0.957106769,
    0.957163095, 0.958605409, 0.961495161, 0.965896428, 0.971876085, 0.979504049, 0.988853276
  ]> : vector<16xf32>
  %below = arith.cmpf olt, %x, %lowest : f32
  %raised = arith.select %below, %lowest, %x : f32
  %above = arith.cmpf ogt, %raised, %highest : f32
  %a = arith.select %above, %highest, %raised : f32
  %shifted = math.fma %a, %minus_log2e, %round : f32
  %n = arith.subf %shifted, %round : f32
  // r with the other sign.
  %r_high = math.fma %n, %ln2_high, %a : f32
  %r = math.fma %n, %ln2_low, %r_high : f32
  %index = arith.bitcast %shifted : f32 to i32
  %power = func.call @entry(%index, %powers) : (i32, vector<16xf32>) -> f32
  %bits = arith.bitcast %power : f32 to i32
  %moved = arith.shli %index, %places : i32
  %sum = arith.addi %bits, %moved : i32
  %scaled = arith.bitcast %sum : i32 to f32
  %p2 = math.fma %minus_c3, %r, %c2 : f32
  %p1 = math.fma %p2, %r, %minus_one : f32
  %p0 = math.fma %p1, %r, %one : f32
  %e = arith.mulf %p0, %scaled : f32
  return %e : f32
}

// 1.2 ulp. From 8.6 on it is 1.
func.func private @tanh_by_table(%x: f32) -> f32 {
  %round = arith.constant 12582912.0 : f32
  %steps = arith.constant 1.6842105 : f32
  %minus_step = arith.constant -0.59375 : f32
  %last = arith.constant 8.90625 : f32
  %c7 = arith.constant dense<[
    -0.040388577, 0.028584562, -0.003479019, -0.0017722558, 8.613533e-6, 0.00009036978, 0.000037023907,
    0.000012211397, 3.810936e-6, 1.1703638e-6, 3.576852e-7, 1.0914816e-7, 3.330416e-8, 1.0123733e-8, 3.0871201e-9, 0.0
  ]> : vector<16xf32>
  %c6 = arith.constant dense<[
    -0.0073669497, -0.030790051, 0.016734237, 0.0017227264, -0.0007510598, -0.00039436977, -0.00013721403,
    -0.00004347, -0.000013409827, -4.1039625e-6, -1.2529613e-6, -3.8225588e-7, -1.1659465e-7, -3.5562575e-8,
    -1.084634e-8, 0.0
  ]> : vector<16xf32>
  %c5 = arith.constant dense<[
    0.13501784, -0.04990039, -0.02529652, 0.004032175, 0.0034185974, 0.0012908243, 0.00041818322, 0.00012985952,
    0.00003982198, 0.000012165243, 3.7120733e-6, 1.1322948e-6, 3.4534557e-7, 1.0533091e-7, 3.2124216e-8, 0.0
  ]> : vector<16xf32>
  %c4 = arith.constant dense<[
    -0.00018846063, 0.14614011, -0.005639836, -0.022922982, -0.010007682, -0.0033714771, -0.0010591375,
    -0.00032592716, -0.00009967369, -0.000030424044, -9.2811615e-6, -2.830813e-6, -8.6336934e-7, -2.633144e-7,
    -8.0306584e-8, 0.0
  ]> : vector<16xf32>
  %c3 = arith.constant dense<[
    -0.33332348, -0.03559498, 0.110632375, 0.060018744, 0.02152001, 0.006889099, 0.0021321774, 0.00065319554,
    0.00019948548, 0.000060864964, 0.00001856512, 5.662261e-6, 1.7269125e-6, 5.266803e-7, 1.6062859e-7, 0.0
  ]> : vector<16xf32>
  %c2 = arith.constant dense<[
    -1.919805e-7, -0.3815195, -0.25842458, -0.10137754, -0.033432096, -0.010443735, -0.0032085907, -0.0009807561,
    -0.00029931785, -0.00009130579, -0.000027848459, -8.4934645e-6, -2.5903755e-6, -7.900214e-7, -2.4094302e-7, 0.0
  ]> : vector<16xf32>
  %c1 = arith.constant dense<[
    1.0, 0.7163508, 0.3114288, 0.10729734, 0.034015648, 0.010498993, 0.0032137574, 0.000981237, 0.0002993625,
    0.00009130991, 0.000027848831, 8.493495e-6, 2.5903776e-6, 7.900212e-7, 2.409429e-7, 0.0
  ]> : vector<16xf32>
  %c0 = arith.constant dense<[
    0.0, 0.5325873, 0.8298019, 0.94482946, 0.982845, 0.9947367, 0.9983918, 0.9995093, 0.99985033, 0.99995434,
    0.99998605, 0.99999577, 0.9999987, 0.9999996, 0.9999999, 1.0
  ]> : vector<16xf32>
  %a = math.absf %x : f32
  // NaN is not beyond, and stays.
  %is_beyond = arith.cmpf ogt, %a, %last : f32
  %t = arith.select %is_beyond, %last, %a : f32
  %shifted = math.fma %t, %steps, %round : f32
  %n = arith.subf %shifted, %round : f32
  %r = math.fma %n, %minus_step, %t : f32
  %index = arith.bitcast %shifted : f32 to i32
  %p7 = func.call @entry(%index, %c7) : (i32, vector<16xf32>) -> f32
  %p6 = func.call @next(%p7, %r, %index, %c6) : (f32, f32, i32, vector<16xf32>) -> f32
  %p5 = func.call @next(%p6, %r, %index, %c5) : (f32, f32, i32, vector<16xf32>) -> f32
  %p4 = func.call @next(%p5, %r, %index, %c4) : (f32, f32, i32, vector<16xf32>) -> f32
  %p3 = func.call @next(%p4, %r, %index, %c3) : (f32, f32, i32, vector<16xf32>) -> f32
  %p2 = func.call @next(%p3, %r, %index, %c2) : (f32, f32, i32, vector<16xf32>) -> f32
  %p1 = func.call @next(%p2, %r, %index, %c1) : (f32, f32, i32, vector<16xf32>) -> f32
  %p0 = func.call @next(%p1, %r, %index, %c0) : (f32, f32, i32, vector<16xf32>) -> f32
  %result = math.copysign %p0, %x : f32
  return %result : f32
}

// 2.5 ulp and 1.1e-7 of x Phi(x): max(x, 0) - h(|x|), h(t) = t Phi(-t), which is 0 from 5.5 on.
func.func private @gelu_by_table(%x: f32) -> f32 {
  %zero = arith.constant 0.0 : f32
  %round = arith.constant 12582912.0 : f32
  %steps = arith.constant 2.6391752 : f32
  %last = arith.constant 5.6835938 : f32
  %centres = arith.constant dense<[
    0.0, 0.37890625, 0.7578125, 1.13671875, 1.515625, 1.89453125, 2.2734375, 2.65234375, 3.03125, 3.41015625,
    3.7890625, 4.16796875, 4.546875, 4.92578125, 5.3046875, 5.68359375
  ]> : vector<16xf32>
  %c5 = arith.constant dense<[
    -0.0047628535, -0.019067606, -0.022513084, -0.010785871, 0.0030721363, 0.008901609, 0.0068986914, 0.0026119202,
    -0.00011266797, -0.0008457285, -0.00063530914, -0.00030318162, -0.000108230124, -0.000030583546, -7.0310543e-6,
    0.0
  ]> : vector<16xf32>
  %c4 = arith.constant dense<[
    0.06729241, 0.046348576, 0.0040031597, -0.029039731, -0.035603106, -0.022742458, -0.0069540525, 0.0020026944,
    0.004013602, 0.0028668304, 0.0013985808, 0.00052372244, 0.00015742319, 0.000038852537, 7.978857e-6, 0.0
  ]> : vector<16xf32>
  %c3 = arith.constant dense<[
    -0.000055450662, 0.090422966, 0.12952542, 0.10726439, 0.054417744, 0.008601034, -0.013326947, -0.015883103,
    -0.010572811, -0.0051616402, -0.001990427, -0.00062600226, -0.00016334817, -0.00003573319, -6.598148e-6, 0.0
  ]> : vector<16xf32>
  %c2 = arith.constant dense<[
    -0.39894092, -0.34464946, -0.21341006, -0.07400832, 0.018789604, 0.052683372, 0.04768908, 0.02980412, 0.014497063,
    0.0057309824, 0.0018801151, 0.00051791855, 0.000120685865, 0.000023906274, 4.039621e-6, 0.0
  ]> : vector<16xf32>
  %c1 = arith.constant dense<[
    0.5, 0.21168786, -0.0025839107, -0.10984554, -0.12692232, -0.09653048, -0.056932785, -0.02740289, -0.011008142,
    -0.0037345954, -0.0010774732, -0.00026553965, -0.000056068013, -0.0000101644955, -1.5845941e-6, 0.0
  ]> : vector<16xf32>
  %c0 = arith.constant dense<[
    0.0, 0.1335185, 0.16996342, 0.14530443, 0.09822327, 0.05508779, 0.026144333, 0.010600768, 0.0036912053,
    0.0011070333, 0.00028648533, 0.00006404645, 0.000012378565, 2.0694454e-6, 2.9936703e-7, 0.0
  ]> : vector<16xf32>
  // The bits of numbers that are not negative are in their order; NaN's are above, and it is its own greater part below.
  %a = math.absf %x : f32
  %a_bits = arith.bitcast %a : f32 to i32
  %last_bits = arith.bitcast %last : f32 to i32
  %t_bits = arith.minui %a_bits, %last_bits : i32
  %t = arith.bitcast %t_bits : i32 to f32
  %shifted = math.fma %t, %steps, %round : f32
  %index = arith.bitcast %shifted : f32 to i32
  %centre = func.call @entry(%index, %centres) : (i32, vector<16xf32>) -> f32
  %r = arith.subf %t, %centre : f32
  %p5 = func.call @entry(%index, %c5) : (i32, vector<16xf32>) -> f32
  %p4 = func.call @next(%p5, %r, %index, %c4) : (f32, f32, i32, vector<16xf32>) -> f32
  %p3 = func.call @next(%p4, %r, %index, %c3) : (f32, f32, i32, vector<16xf32>) -> f32
  %p2 = func.call @next(%p3, %r, %index, %c2) : (f32, f32, i32, vector<16xf32>) -> f32
  %p1 = func.call @next(%p2, %r, %index, %c1) : (f32, f32, i32, vector<16xf32>) -> f32
  %p0 = func.call @entry(%index, %c0) : (i32, vector<16xf32>) -> f32
  %is_negative = arith.cmpf olt, %x, %zero : f32
  %positive = arith.select %is_negative, %zero, %x : f32
  %rest = arith.subf %positive, %p0 : f32
  %minus_r = arith.negf %r : f32
  %result = math.fma %p1, %minus_r, %rest : f32
  return %result : f32
}

// The same with (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 for Phi(x); 0 from 5.1 on.
func.func private @gelu_tanh_by_table(%x: f32) -> f32 {
  %zero = arith.constant 0.0 : f32
  %round = arith.constant 12582912.0 : f32
  %steps = arith.constant 2.8444445 : f32
  %last = arith.constant 5.2734375 : f32
  %centres = arith.constant dense<[
    0.0, 0.3515625, 0.703125, 1.0546875, 1.40625, 1.7578125, 2.109375, 2.4609375, 2.8125, 3.1640625, 3.515625,
    3.8671875, 4.21875, 4.5703125, 4.921875, 5.2734375
  ]> : vector<16xf32>
  %c5 = arith.constant dense<[
    -0.00452313, -0.018469542, -0.023272613, -0.013564116, -0.00007184724, 0.0075627826, 0.007980072, 0.0047868025,
    0.0014649442, -0.0004237365, -0.0008910078, -0.00063961186, -0.00029521875, -0.00009605775, -0.000022552491, 0.0
  ]> : vector<16xf32>
  %c4 = arith.constant dense<[
    0.067526124, 0.04889817, 0.009737229, -0.024126409, -0.035764072, -0.028014636, -0.013517432, -0.002070312,
    0.0032772382, 0.0039539207, 0.0026367907, 0.0012422969, 0.00043451606, 0.000113932205, 0.00002232055, 0.0
  ]> : vector<16xf32>
  %c3 = arith.constant dense<[
    -0.00004530735, 0.085460626, 0.12782992, 0.11536953, 0.07002496, 0.02336754, -0.005919692, -0.016110633,
    -0.014469334, -0.008937424, -0.004195204, -0.0015293903, -0.00043276625, -0.000094218565, -0.00001558824, 0.0
  ]> : vector<16xf32>
  %c2 = arith.constant dense<[
    -0.39894125, -0.3516602, -0.23423453, -0.10173443, -0.002544735, 0.045696456, 0.05306922, 0.040027026,
    0.023246389, 0.010829758, 0.004074184, 0.0012298556, 0.00029435137, 0.000055054115, 7.921388e-6, 0.0
  ]> : vector<16xf32>
  %c1 = arith.constant dense<[
    0.5, 0.2307852, 0.022175094, -0.09514137, -0.12896205, -0.1108873, -0.074354336, -0.041004445, -0.018870508,
    -0.007237617, -0.0022922116, -0.00059151044, -0.00012246681, -0.000020011315, -2.5372026e-6, 0.0
  ]> : vector<16xf32>
  %c0 = arith.constant dense<[
    0.0, 0.12747526, 0.16950145, 0.1539283, 0.11248604, 0.069335535, 0.036629252, 0.01662589, 0.0064493506,
    0.0021160885, 0.000579371, 0.00013033517, 0.000023694529, 3.4217708e-6, 3.8570195e-7, 0.0
  ]> : vector<16xf32>
  // The bits of numbers that are not negative are in their order; NaN's are above, and it is its own greater part below.
  %a = math.absf %x : f32
  %a_bits = arith.bitcast %a : f32 to i32
  %last_bits = arith.bitcast %last : f32 to i32
  %t_bits = arith.minui %a_bits, %last_bits : i32
  %t = arith.bitcast %t_bits : i32 to f32
  %shifted = math.fma %t, %steps, %round : f32
  %index = arith.bitcast %shifted : f32 to i32
  %centre = func.call @entry(%index, %centres) : (i32, vector<16xf32>) -> f32
  %r = arith.subf %t, %centre : f32
  %p5 = func.call @entry(%index, %c5) : (i32, vector<16xf32>) -> f32
  %p4 = func.call @next(%p5, %r, %index, %c4) : (f32, f32, i32, vector<16xf32>) -> f32
  %p3 = func.call @next(%p4, %r, %index, %c3) : (f32, f32, i32, vector<16xf32>) -> f32
  %p2 = func.call @next(%p3, %r, %index, %c2) : (f32, f32, i32, vector<16xf32>) -> f32
  %p1 = func.call @next(%p2, %r, %index, %c1) : (f32, f32, i32, vector<16xf32>) -> f32
  %p0 = func.call @entry(%index, %c0) : (i32, vector<16xf32>) -> f32
  %is_negative = arith.cmpf olt, %x, %zero : f32
  %positive = arith.select %is_negative, %zero, %x : f32
  %rest = arith.subf %positive, %p0 : f32
  %minus_r = arith.negf %r : f32
  %result = math.fma %p1, %minus_r, %rest : f32
  return %result : f32
}
