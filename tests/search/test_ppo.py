from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from harl_mlir.search.adam import Adam
from harl_mlir.search.ppo import PPO
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

    def step(self, policy: PPO) -> Steps:
        observations, masks = self.observations(), self.masks()
        actions, log_probabilities = policy.act(observations, masks)
        assert masks[np.arange(len(actions)), actions].all()
        before = WORTH[self.at]
        self.at = self.at + np.array([0, -1, 1])[actions]
        rewards = np.log(WORTH[self.at] / before)
        return Steps(observations, masks, actions, log_probabilities, rewards, self.observations())


def trained(seed: int, updates: int) -> PPO:
    policy = PPO(len(WORTH), 1, LEARNER, seed)
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
    policy = PPO(2, 3, LEARNER, seed=0)
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
    policy = PPO(3, 2, LEARNER, seed=0)
    observations, masks = np.ones((8, 3 + 2 * 2), dtype=np.float32), np.zeros((8, 5), dtype=bool)
    masks[:, 0] = True
    actions, log_probabilities = policy.act(observations, masks)
    assert actions.tolist() == [0] * 8
    rewards = np.zeros(8, dtype=np.float32)
    advantages = policy.train(Steps(observations, masks, actions, log_probabilities, rewards, observations))
    assert np.isfinite(advantages).all()
    assert np.isfinite(policy.act(observations, masks)[1]).all()


def test_the_seed_decides_everything_and_torch_is_left_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first = trained(seed=5, updates=6)
    assert torch.equal(torch.rand(1), expected)
    torch.manual_seed(2)
    second, other = trained(seed=5, updates=6), trained(seed=6, updates=6)
    chain = Chain(200)
    draws = [policy.act(chain.observations(), chain.masks())[0].tolist() for policy in (first, second, other)]
    assert draws[0] == draws[1] != draws[2]


def test_advantage_is_the_one_step_error_of_the_critic() -> None:
    policy = PPO(len(WORTH), 1, replace(LEARNER, discount=0.0, epochs=200, critic_learning_rate=1e-2), seed=0)
    steps = Chain(56).step(policy)
    first = policy.train(steps)
    again = policy.train(steps)
    # Without discount the critic learns the mean reward of each state.
    means = {s: steps.rewards[steps.observations[:, s] > 0].mean() for s in range(len(WORTH))}
    expected = steps.rewards - np.array(
        [means[s] for s in steps.observations[:, : len(WORTH)].argmax(axis=1)]
    )
    assert np.abs(again - expected).max() < 0.1 < np.abs(first - expected).max()


def test_adam_moves_as_torch_does() -> None:
    torch_random = torch.Generator().manual_seed(0)
    start = [torch.rand(shape, generator=torch_random) for shape in ((3, 2), (4,))]
    ours = [tensor.clone().requires_grad_() for tensor in start]
    theirs = [tensor.clone().requires_grad_() for tensor in start]
    rates = (1e-2, 3e-3)
    adam = Adam(zip(ours, rates, strict=True))
    reference = torch.optim.Adam([{"params": [p], "lr": r} for p, r in zip(theirs, rates, strict=True)])
    for _ in range(20):
        for values in (ours, theirs):
            sum(((value - 2) ** 4).sum() for value in values).backward()
        torch.nn.utils.clip_grad_norm_(theirs, 0.5)
        reference.step()
        reference.zero_grad()
        adam.step(0.5)
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.allclose(mine, other, atol=1e-5)
