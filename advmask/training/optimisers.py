"""How a texture is changed: optimisers, schedules, and the mean of the last iterates."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from advmask.core.errors import ConfigError
from advmask.training.settings import OptimiserSettings


class SignMomentum(Optimizer):
    """Steps of equal size along the sign of a running sum of gradients, each of mean magnitude one.

    Args:
        parameters: To be changed.
        lr: Size of a step.
        momentum: Share of the sum that is kept from step to step.

    Source:
        Dong et al., "Boosting adversarial attacks with momentum", CVPR 2018, equation 6.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], *, lr: float, momentum: float) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                mean = parameter.grad.abs().mean()
                scaled = parameter.grad / mean.clamp(min=torch.finfo(mean.dtype).tiny)
                total = self.state[parameter].setdefault("total", torch.zeros_like(parameter))
                total.mul_(group["momentum"]).add_(scaled)
                parameter.sub_(group["lr"] * total.sign())
        return loss


def build_optimiser(
    parameters: Iterable[nn.Parameter],
    settings: OptimiserSettings,
    *,
    factory: Callable[[Iterable[nn.Parameter]], Optimizer] | None = None,
) -> Optimizer:
    """The optimiser that the settings name, or that a function of the user's own builds.

    Raises:
        ConfigError: The function gives something else.
    """
    if factory is not None:
        built = factory(parameters)
        if not isinstance(built, Optimizer):
            raise ConfigError(f"optimiser gave {type(built).__name__}; a torch.optim.Optimizer was expected.")
        return built
    if settings.kind == "sign":
        return SignMomentum(parameters, lr=settings.learning_rate, momentum=settings.momentum)
    return torch.optim.Adam(parameters, lr=settings.learning_rate, amsgrad=settings.kind == "amsgrad")


def share_of_rate(settings: OptimiserSettings, step: int, steps: int) -> float:
    """Share of the learning rate at a step of a run."""
    if settings.schedule == "constant":
        return 1.0
    floor = settings.final_share
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))


class TailAverage(nn.Module):
    """The mean of a module's parameters over the last steps of a run; part of its checkpoints.

    Args:
        averaged: Whose parameters.
        share: Of the run, at its end; 0 keeps nothing.

    Source:
        Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
    """

    def __init__(self, averaged: nn.Module, share: float) -> None:
        super().__init__()
        self._share = share
        self._names = [name for name, _ in averaged.named_parameters()] if share > 0 else []
        self._count, self._last = 0, 0  # not on a device, which would be asked in every step
        for number, name in enumerate(self._names):
            parameter = averaged.get_parameter(name)
            self.register_buffer(f"mean_{number}", torch.zeros_like(parameter.detach()))

    @torch.no_grad()
    def update(self, averaged: nn.Module, step: int, steps: int) -> None:
        """Take in the parameters after a step, once, if it is one of the last."""
        if not self._names or step < (1 - self._share) * steps or step <= self._last:
            return
        if step > self._last + 1:  # the end of a run that was made longer since is not the end any more
            self._count = 0
        self._last = step
        self._count += 1
        for number, name in enumerate(self._names):
            mean = self.get_buffer(f"mean_{number}")
            mean += (averaged.get_parameter(name).detach() - mean) / self._count

    @torch.no_grad()
    def apply_to(self, averaged: nn.Module) -> None:
        """Put the mean into the module, if there is one."""
        if not self._names or self._count == 0:
            return
        for number, name in enumerate(self._names):
            averaged.get_parameter(name).copy_(self.get_buffer(f"mean_{number}"))

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)
        if self._names:
            destination[f"{prefix}count"] = torch.tensor(self._count)
            destination[f"{prefix}last"] = torch.tensor(self._last)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *more: Any) -> None:
        if self._names and f"{prefix}count" in state_dict:
            self._count, self._last = (int(state_dict.pop(prefix + name)) for name in ("count", "last"))
        super()._load_from_state_dict(state_dict, prefix, *more)
