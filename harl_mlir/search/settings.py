"""Every constant of the HARL search, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

TaskPolicy = Literal["bandit", "uniform", "round-robin", "gradient"]


@dataclass(frozen=True)
class Settings:
    """Constants of the search and its ablation switches.

    The defaults are the preset `quick` for small budgets: 64 trials are 8 rounds of 8 measurements, in
    which every learned decision is made several times. `NORMAL` and `FULL` say where the presets for some
    hundred and for a thousand trials differ; `preset` chooses among the three.

    Rounds:
        measurements_per_round: candidates measured before anything is learned from them.
        first_round: candidates of a task's first round where the cost model knows other tasks; each of its
            rounds then has twice as many as the one before, up to `measurements_per_round`.
        exploration_share: part of a round drawn at random instead of by the cost model's score.
        model_min_rows: measurements of a space before its cost model speaks; until then a round of
            that space is its default and a diverse random sample.
        model_min_task_rows: measurements of all spaces of a task with which it speaks for each of them, where
            the loop nests are known.

    Bandits (sliding-window UCB, one over tasks, one over the sketches of each task):
        bandit_window: rounds a reward is remembered (tau).
        task_exploration, sketch_exploration: the factor c of the exploration bonus.

    Task reward (Ansor's gradient):
        recent_weight: share of the recent improvement against the hoped-for one (alpha).
        recent_rounds: rounds over which the recent improvement is taken.
        similarity_trust: how far a task may beat the throughput of a similar one (beta).

    Tracks:
        drawn: random candidates that a round's cost model looks at, besides those that the tracks visit.
        tracks: candidates walked side by side in a round.
        best_track_share: part of the tracks that start at the best measured candidates; the others start at
            the drawn ones of the highest scores.
        best_starts: how many of the best candidates they start from.
        stop_every: steps between two droppings of tracks (lambda).
        drop_share: share of the tracks that is dropped, those with the lowest advantage (rho).
        least_tracks: the round's walk ends when fewer are left (p_hat).
        episode_length: steps of every track where the length is fixed; the default visits about as many
            states as the walk that stops adaptively.

    Cost model (XGBoost):
        model_members: ensembles of trees, each fitted with weights of its own; where they differ the model
            does not know.
        model_trees, model_depth, model_learning_rate: size of an ensemble.
        model_max_rows: rows fitted at most: the best half and the latest half.
        model_weight_floor: weight of a row with no throughput; the best row weighs 1.
        model_score_floor: least score, so that relative gains stay finite.

    PPO:
        hidden: width of the layers of the network of actor and critic.
        actor_learning_rate, critic_learning_rate: step sizes of Adam.
        discount: gamma.
        clip: MovePolicy's bound on the change of an action's probability.
        critic_weight: of the critic's squared error in the loss.
        entropy_weight: of the policy's entropy in the loss. With few updates a low one lets all tracks end
            at one state.
        train_every: steps of all tracks between two updates.
        epochs: passes over the steps of one update.
        reward_clip: bound on the reward of one step, the logarithm of the gain.
        gradient_clip: greatest norm of a gradient.

    Values that always fail:
        drop_after: least failed trials of a decision's value before it is dropped.
        drop_doubt: greatest chance of so many failures under the failure rate of the other values.

    Ablations:
        task_choice: how the task of a round is chosen: by the bandit, drawn, in turns, or always the one of
            the greatest expected gain (Ansor's gradient).
        uniform_sketch: draw the sketch instead of asking the bandit.
        adaptive_stopping: if not, every track takes `episode_length` steps.
        use_cost_model: if not, every candidate has the same score.
        use_policy: if not, the tracks are random walks.
    """

    measurements_per_round: int = 8
    first_round: int = 2
    exploration_share: float = 1 / 8
    model_min_rows: int = 3
    model_min_task_rows: int = 14

    bandit_window: int = 256
    task_exploration: float = 0.25
    sketch_exploration: float = 1.0

    recent_weight: float = 0.2
    recent_rounds: int = 3
    similarity_trust: float = 2.0

    drawn: int = 768
    tracks: int = 64
    best_track_share: float = 0.5
    best_starts: int = 6
    stop_every: int = 4
    drop_share: float = 0.5
    least_tracks: int = 16
    episode_length: int = 7

    model_members: int = 4
    model_trees: int = 25
    model_depth: int = 5
    model_learning_rate: float = 0.2
    model_max_rows: int = 1024
    model_weight_floor: float = 0.1
    model_score_floor: float = 0.05

    hidden: int = 32
    actor_learning_rate: float = 1e-3
    critic_learning_rate: float = 1e-3
    discount: float = 0.9
    clip: float = 0.2
    critic_weight: float = 0.5
    entropy_weight: float = 0.2
    train_every: int = 4
    epochs: int = 2
    reward_clip: float = 1.0
    gradient_clip: float = 0.5

    drop_after: int = 3
    drop_doubt: float = 0.02

    task_choice: TaskPolicy = "bandit"
    uniform_sketch: bool = False
    adaptive_stopping: bool = True
    use_cost_model: bool = True
    use_policy: bool = True


QUICK = Settings()
NORMAL = replace(QUICK, sketch_exploration=0.5, entropy_weight=0.1)
FULL = replace(
    NORMAL,
    measurements_per_round=16,
    tracks=128,
    stop_every=12,
    least_tracks=32,
    episode_length=21,
    actor_learning_rate=3e-4,
    entropy_weight=0.01,
)
PRESETS: Mapping[str, Settings] = {"quick": QUICK, "normal": NORMAL, "full": FULL}

_QUICK_TRIALS = 100
_NORMAL_TRIALS = 500


def preset(trials: int) -> Settings:
    """The preset for a budget of so many trials."""
    return QUICK if trials <= _QUICK_TRIALS else NORMAL if trials <= _NORMAL_TRIALS else FULL
