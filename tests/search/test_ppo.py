from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from harl_mlir.search.adam import Adam
from harl_mlir.search.move_policy import MovePolicy
from harl_mlir.search.settings import Settings
from harl_mlir.search.steps import Steps, joined

LEARNER = replace(
    Settings(), hidden=32, actor_learning_rate=3e-3, critic_learning_rate=3e-3, entropy_weight=0.01
)

# What a state is worth. Going right from 2 loses at first: only a critic that looks ahead gets to 6.
WORTH = np.array([0.2, 0.5, 0.6, 0.5, 0.45, 0.8, 2.0], dtype=np.float32)
LAST = len(WORTH) - 1


class Chain:
    """Tracks on a line of states; actions are stay, left and right, the ends are masked."""

    def __init__(self, tracks: int) -> None:
        self.at = np.arange(tracks) % len(WORTH)

    def observations(self) -> np.ndarray:
        """Where the track is, as globals; the chain is the only decision, with one feature."""
        here = np.eye(len(WORTH), dtype=np.float32)[self.at]
        return np.concatenate([here, np.ones((len(here), 1), dtype=np.float32)], axis=1)

    def masks(self) -> np.ndarray:
        return np.stack([np.ones(len(self.at), dtype=bool), self.at > 0, self.at < LAST], axis=1)

    def step(self, policy: MovePolicy) -> Steps:
        observations, masks = self.observations(), self.masks()
        actions, log_probabilities = policy.act(observations, masks)
        assert masks[np.arange(len(actions)), actions].all()
        before = WORTH[self.at]
        self.at = self.at + np.array([0, -1, 1])[actions]
        rewards = np.log(WORTH[self.at] / before)
        return Steps(observations, masks, actions, log_probabilities, rewards, self.observations())


def trained(seed: int, updates: int) -> MovePolicy:
    policy = MovePolicy(len(WORTH), 1, LEARNER, seed)
    for update in range(updates):
        if update % 10 == 0:
            chain = Chain(56)
        policy.train(joined([chain.step(policy) for _ in range(2)]))
    return policy


def test_solves_a_chain_on_which_a_greedy_climber_stays_behind() -> None:
    policy = trained(seed=0, updates=300)
    chain = Chain(len(WORTH))
    for _ in range(LAST):
        chain.at = chain.at + np.array([0, -1, 1])[policy.best_actions(chain.observations(), chain.masks())]
    assert chain.at.tolist() == [LAST] * len(WORTH)


def test_masked_actions_are_never_taken() -> None:
    policy = MovePolicy(2, 3, LEARNER, seed=0)
    rng = np.random.default_rng(0)
    observations = rng.random((4000, 2 + 4 * 3)).astype(np.float32)
    masks = rng.random((4000, 9)) < 0.3
    masks[:, 0] |= ~masks.any(axis=1)
    actions, log_probabilities = policy.act(observations, masks)
    assert masks[np.arange(4000), actions].all()
    assert masks[np.arange(4000), policy.best_actions(observations, masks)].all()
    assert np.isfinite(log_probabilities).all()
    # A new policy draws about evenly among the legal actions.
    assert np.abs(log_probabilities + np.log(masks.sum(axis=1))).max() < 0.2
    assert len(set(actions.tolist())) == 9


def test_training_is_finite_with_one_legal_action() -> None:
    policy = MovePolicy(3, 2, LEARNER, seed=0)
    observations, masks = np.ones((8, 3 + 2 * 2), dtype=np.float32), np.zeros((8, 5), dtype=bool)
    masks[:, 0] = True
    actions, log_probabilities = policy.act(observations, masks)
    assert actions.tolist() == [0] * 8
    rewards = np.zeros(8, dtype=np.float32)
    advantages = policy.train(Steps(observations, masks, actions, log_probabilities, rewards, observations))
    assert np.isfinite(advantages).all()
    assert np.isfinite(policy.act(observations, masks)[1]).all()


def test_the_seed_decides_everything() -> None:
    first, second, other = trained(5, updates=6), trained(5, updates=6), trained(6, updates=6)
    chain = Chain(200)
    draws = [policy.act(chain.observations(), chain.masks())[0].tolist() for policy in (first, second, other)]
    assert draws[0] == draws[1] != draws[2]


def test_advantage_is_the_one_step_error_of_the_critic() -> None:
    policy = MovePolicy(
        len(WORTH), 1, replace(LEARNER, discount=0.0, epochs=200, critic_learning_rate=1e-2), seed=0
    )
    steps = Chain(56).step(policy)
    first = policy.train(steps)
    again = policy.train(steps)
    # Without discount the critic learns the mean reward of each state.
    means = {s: steps.rewards[steps.observations[:, s] > 0].mean() for s in range(len(WORTH))}
    expected = steps.rewards - np.array(
        [means[s] for s in steps.observations[:, : len(WORTH)].argmax(axis=1)]
    )
    assert np.abs(again - expected).max() < 0.1 < np.abs(first - expected).max()


def torch_loss(policy: MovePolicy, steps: Steps, settings: Settings) -> list[torch.Tensor]:
    """The loss of one epoch, written down once more; the network's weights with their gradients."""
    w = {n: torch.from_numpy(v).double().requires_grad_() for n, v in policy.weights().items()}
    situation, features = len(w["situation"]), len(w["decision"])

    def linear(name: str, inputs: torch.Tensor) -> torch.Tensor:
        return inputs @ w[name] + w[f"{name}_bias"]

    def network(rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        seen = torch.from_numpy(rows).double()
        around = linear("situation", seen[:, :situation])
        first = torch.tanh(
            linear("decision", seen[:, situation:].reshape(len(seen), -1, features)) + around[:, None]
        )
        second = torch.tanh(linear("encoded", first))
        context = torch.tanh(linear("context", torch.tanh(linear("pooled", second.mean(dim=1)) + around)))
        moves = linear("moves", torch.tanh(linear("own", second) + linear("around", context)[:, None]))
        logits = torch.cat([linear("stay", context), moves.flatten(1)], dim=1)
        return logits, linear("value", context)[:, 0]

    logits, values = network(steps.observations)
    with torch.no_grad():
        returns = torch.from_numpy(steps.rewards) + settings.discount * network(steps.next_observations)[1]
        advantages = returns - values
        advantages = (advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-6)
    logits = logits.masked_fill(~torch.from_numpy(steps.masks), -1e9)
    log_probabilities = logits.log_softmax(dim=1)
    taken = log_probabilities.gather(1, torch.from_numpy(steps.actions)[:, None])[:, 0]
    ratio = (taken - torch.from_numpy(steps.log_probabilities)).exp()
    clipped = ratio.clamp(1 - settings.clip, 1 + settings.clip)
    loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    loss += settings.critic_weight * (values - returns).square().mean()
    loss += settings.entropy_weight * (log_probabilities.exp() * log_probabilities).sum(dim=1).mean()
    loss.backward()
    return list(w.values())


def test_the_gradient_is_that_of_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    settings = replace(LEARNER, epochs=1, entropy_weight=0.3, gradient_clip=1e9)
    policy = MovePolicy(5, 3, settings, seed=1)
    weights = {n: w + rng.normal(0, 0.3, w.shape).astype(np.float32) for n, w in policy.weights().items()}
    policy.set_weights(weights)
    seen, then = (rng.normal(size=(40, 5 + 4 * 3)).astype(np.float32) for _ in range(2))
    masks = rng.random((40, 9)) < 0.6
    masks[:, 0] = True
    actions, log_probabilities = policy.act(seen, masks)
    # The policy that acted was another one: some ratios are beyond the clip.
    log_probabilities += rng.normal(0, 0.3, 40).astype(np.float32)
    rewards = rng.normal(size=40).astype(np.float32)
    steps = Steps(seen, masks, actions, log_probabilities, rewards, then)
    expected = torch_loss(policy, steps, settings)
    found: list[np.ndarray] = []
    monkeypatch.setattr(policy._adam, "step", lambda gradient, most: found.append(gradient))
    policy.train(steps)
    flat = np.concatenate([w.grad.numpy().ravel() for w in expected if w.grad is not None])
    assert np.abs(found[0] - flat).max() < 1e-5 * np.abs(flat).max() + 1e-6


def test_weights_travel_and_those_of_another_network_are_refused() -> None:
    first, second, other = (
        MovePolicy(3, 2, LEARNER, 0),
        MovePolicy(3, 2, LEARNER, 1),
        MovePolicy(4, 2, LEARNER, 0),
    )
    second.set_weights(first.weights())
    rows, masks = np.random.default_rng(0).random((9, 9)).astype(np.float32), np.ones((9, 7), dtype=bool)
    assert first.best_actions(rows, masks).tolist() == second.best_actions(rows, masks).tolist()
    with pytest.raises(ValueError, match="another network"):
        other.set_weights(first.weights())


def test_adam_moves_as_torch_does() -> None:
    rng = np.random.default_rng(0)
    ours = rng.random(10).astype(np.float32)
    theirs = [torch.from_numpy(part.copy()).requires_grad_() for part in (ours[:6], ours[6:])]
    rates = np.array([1e-2] * 6 + [3e-3] * 4, dtype=np.float32)
    adam = Adam(ours, rates)
    reference = torch.optim.Adam(
        [{"params": [p], "lr": r} for p, r in zip(theirs, (1e-2, 3e-3), strict=True)]
    )
    for _ in range(20):
        sum(((value - 2) ** 4).sum() for value in theirs).backward()
        torch.nn.utils.clip_grad_norm_(theirs, 0.5)
        reference.step()
        reference.zero_grad()
        adam.step(4 * (ours - 2) ** 3, 0.5)
    assert np.allclose(ours, torch.cat(theirs).detach().numpy(), atol=1e-5)
