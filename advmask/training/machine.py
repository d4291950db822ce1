"""Lightning's trainer on the machine that a run asks for, or one sentence about what this machine lacks."""

import platform
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.accelerators import CUDAAccelerator, MPSAccelerator
from pytorch_lightning.strategies import DDPStrategy
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]

from advmask.core.errors import ConfigError
from advmask.core.workers import rank
from advmask.training.processes import PATIENCE_S
from advmask.training.quiet_lightning import quiet_lightning
from advmask.training.settings import TrainerSettings


def check_machine(settings: TrainerSettings) -> None:
    """Make sure that this machine has what a run asks for, before anything is done for it.

    Raises:
        ConfigError: It lacks an accelerator, or enough devices.
    """
    with quiet_lightning():
        trainer_on(settings, logger=False)


def on_cpu(settings: TrainerSettings) -> bool:
    """Whether a run works on a CPU: the same settings then give the same design, bit by bit."""
    gpus = (CUDAAccelerator, MPSAccelerator)
    return settings.accelerator == "cpu" or (
        settings.accelerator == "auto" and not any(gpu.is_available() for gpu in gpus)
    )


def device_on(settings: TrainerSettings) -> torch.device:
    """Where this process's networks run before Lightning puts them there: its GPU, if it works on one."""
    if on_cpu(settings) or not torch.cuda.is_available():
        return torch.device("cpu")
    own, _ = rank()
    return torch.device("cuda", own % torch.cuda.device_count())


def bytes_to_hold(settings: TrainerSettings, device: torch.device) -> float:
    """What photos and placements may take of the device on which steps are taken, bytes.

    See `trainer.device_gb`; nothing of a device that is neither a CUDA GPU nor the CPU.
    """
    if device.type not in ("cuda", "cpu"):
        return 0.0
    if settings.device_gb != "auto":
        return settings.device_gb * 1e9
    return torch.cuda.mem_get_info(device)[0] / 2 if device.type == "cuda" else 0.0


def trainer_on(settings: TrainerSettings, **more: Any) -> pl.Trainer:
    """Lightning's trainer on the devices that the settings ask for; it shows and keeps nothing by itself.

    Args:
        settings: Which machine.
        more: Further arguments of the trainer.

    Raises:
        ConfigError: This machine lacks what the settings ask for.
    """
    try:
        return pl.Trainer(
            max_steps=settings.steps,
            accelerator=settings.accelerator,
            devices=settings.devices,
            num_nodes=settings.num_nodes,
            strategy=_strategy(settings.strategy),
            deterministic="warn" if on_cpu(settings) else False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **more,
        )
    except (ValueError, ModuleNotFoundError, MisconfigurationException) as error:
        reason = " ".join(str(error).split()).rstrip(".!")  # its words for what this machine lacks
        raise ConfigError(
            f"Cannot train with trainer.accelerator={settings.accelerator} and "
            f"trainer.devices={settings.devices}: {reason}."
        ) from error


def machine_facts(trainer: pl.Trainer) -> dict[str, Any]:
    """What sums depend on in their last bits: device, instructions, threads, processes."""
    device = trainer.strategy.root_device
    return {
        "device": device.type,
        "name": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "processes": trainer.world_size,
    }


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _strategy(name: str) -> DDPStrategy | str:
    # The frozen networks are alike in all processes; sending them in each step would cost more than the step.
    # And a process that finds no mask laid yet may be late by more than the half hour that is usual.
    return (
        DDPStrategy(broadcast_buffers=False, timeout=timedelta(seconds=PATIENCE_S)) if name == "ddp" else name
    )
