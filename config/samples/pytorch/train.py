"""Trains a flight delay model with DistributedDataParallel. Run by torchrun, in as many pods as the TrainingJob asks for."""

import json
import os
import shutil
import signal
import sys
import time
from datetime import datetime, timezone

import numpy as np
import outputs
import torch
import torch.distributed as dist
from flights import Flights, read
from torch import nn
from torch.distributed.elastic.multiprocessing.errors import record
from torch.nn.parallel import DistributedDataParallel

CHECKPOINTS = os.environ.get("SLIPWAY_CHECKPOINT_DIR", "/slipway/checkpoints")
STATUS = os.environ.get("SLIPWAY_STATUS_DIR", "/slipway/status")
OUTPUT = os.environ.get("SLIPWAY_OUTPUT_DIR", "/slipway/output")
MODEL = os.environ.get("SLIPWAY_MODEL_DIR", f"{OUTPUT}/model")
INPUTS = ["numeric", "origin", "destination"]


def parameter(name: str, default: float) -> float:
    return type(default)(os.environ.get(f"SLIPWAY_PARAM_{name}", default))


class Delay(nn.Module):
    """Raw columns in, probability out: what training did to its inputs is part of the graph that serves."""

    def __init__(self, airports: int, mean: torch.Tensor, deviation: torch.Tensor, hidden: int):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.origin = nn.Embedding(airports, 4)
        self.destination = nn.Embedding(airports, 4)
        self.layers = nn.Sequential(nn.Linear(12, hidden), nn.ReLU(), nn.Linear(hidden, 1), nn.Sigmoid())

    def forward(self, numeric: torch.Tensor, origin: torch.Tensor, destination: torch.Tensor) -> torch.Tensor:
        places = [self.origin(origin.squeeze(1)), self.destination(destination.squeeze(1))]
        return self.layers(torch.cat([(numeric - self.mean) / self.deviation, *places], dim=1))


def tensors(flights: Flights) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(getattr(flights, name)) for name in INPUTS)


def report(step: int, total: int, loss: float, started: float, first: int) -> None:
    document = {"step": step, "total": total, "metrics": {"loss": loss}, "at": datetime.now(timezone.utc).isoformat()}
    document["etaSeconds"] = round((total - step) * (time.monotonic() - started) / max(1, step - first))
    outputs.write(f"{STATUS}/progress.json", json.dumps(document))


def save(step: int, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Written aside, then renamed: a checkpoint that has its name is whole, and says so by _COMPLETE."""
    folder = f"{CHECKPOINTS}/{step}"
    shutil.rmtree(f"{folder}.tmp", ignore_errors=True)
    os.makedirs(f"{folder}.tmp")
    torch.save({"step": step, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, f"{folder}.tmp/state.pt")
    open(f"{folder}.tmp/_COMPLETE", "w").close()
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(f"{folder}.tmp", folder)


def resume(model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    path = os.path.join(os.environ.get("SLIPWAY_RESUME_FROM", ""), "state.pt")
    if not os.path.exists(path):
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return state["step"]


def export(model: nn.Module, example: tuple[torch.Tensor, ...]) -> None:
    os.makedirs(MODEL, exist_ok=True)
    batch = torch.export.Dim("batch")
    shapes = {name: {0: batch} for name in INPUTS}
    names = {"input_names": INPUTS, "output_names": ["probability"]}
    path = f"{MODEL}/model.onnx"
    torch.onnx.export(model, example, path, dynamo=True, dynamic_shapes=shapes, opset_version=18, external_data=False, **names)


def score(model: nn.Module, flights: Flights) -> np.ndarray:
    with torch.no_grad():
        return model(*tensors(flights))[:, 0].numpy()


def finish(model: nn.Module, training: Flights, held_out: Flights, loss: float) -> None:
    scores = score(model.eval(), held_out)
    threshold = float(training.label.mean())
    export(model, tensors(held_out.take(np.arange(4))))
    measured = outputs.metrics(held_out, scores, threshold, loss)
    outputs.write(f"{OUTPUT}/metrics.json", json.dumps(measured, indent=2))
    outputs.write(f"{OUTPUT}/predictions.jsonl", outputs.lines(outputs.predictions(held_out, scores, threshold)))
    outputs.write(f"{OUTPUT}/baseline.json", json.dumps(outputs.baseline(training, scores)))
    outputs.write(f"{OUTPUT}/golden.jsonl", outputs.lines(outputs.golden(held_out, scores)))
    print(json.dumps(measured), flush=True)


@record
def main() -> None:
    asked_to_stop = torch.zeros(1)
    signal.signal(signal.SIGTERM, lambda *_: asked_to_stop.fill_(1))
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    rank, world, seed = dist.get_rank(), dist.get_world_size(), parameter("SEED", 1)
    torch.manual_seed(seed)
    training, held_out, airports = read(parameter("ROWS", 60_000), parameter("EVALUATIONROWS", 8_000), seed)
    mean, deviation = (torch.from_numpy(f(training.numeric, axis=0)) for f in (np.mean, np.std))
    model = Delay(airports, mean, deviation.clamp(min=1e-6), parameter("HIDDENUNITS", 32))
    optimizer = torch.optim.Adam(model.parameters(), lr=parameter("LEARNINGRATE", 0.01))
    first = step = resume(model, optimizer)
    print(f"rank {rank} of {world} begins at step {step} with {len(training.rows)} flights", flush=True)
    ddp, lossOf = DistributedDataParallel(model), nn.BCELoss()
    batch, every, pause = parameter("BATCHSIZE", 512), parameter("CHECKPOINTEVERY", 50), parameter("PAUSE", 0.0)
    per_epoch = len(training.rows) // (batch * world)
    total, started, loss = parameter("EPOCHS", 3) * per_epoch, time.monotonic(), torch.tensor(float("nan"))
    while step < total:
        # Drawn by the epoch, so that a run that resumes sees the rows that the first one would have seen.
        order = np.random.default_rng([seed, step // per_epoch]).permutation(len(training.rows))
        at = (step % per_epoch * world + rank) * batch
        some = training.take(order[at : at + batch])
        optimizer.zero_grad()
        loss = lossOf(ddp(*tensors(some)), torch.from_numpy(some.label))
        loss.backward()
        optimizer.step()
        step += 1
        # One that is asked to stop stops all at the same step.
        stop = asked_to_stop.clone()
        dist.all_reduce(stop)
        if rank == 0 and (step % every == 0 or stop.item() > 0):
            save(step, model, optimizer)
        if rank == 0 and (step % 10 == 0 or step == total):
            report(step, total, loss.item(), started, first)
        if stop.item() > 0:
            sys.exit(143)
        time.sleep(pause)
    if rank == 0:
        finish(model, training, held_out, loss.item())
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
