"""Batches prepared ahead of the training loop, by processes on the CPU or by a thread on the device."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.utils.data import DataLoader, Dataset

from .samples import Sample, Samples, batch_indices


class _Batches(Dataset[Sample]):
    """The batches of one device from `start` to `stop`, by number."""

    def __init__(
        self, samples: Samples, batch: int, rank: int, num_ranks: int, start: int, stop: int
    ) -> None:
        self._samples = samples
        self._batch = batch
        self._rank = rank
        self._num_ranks = num_ranks
        self._start = start
        self._stop = stop

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, place: int) -> Sample:
        number = self._start + place
        return self._samples.batch(number, batch_indices(number, self._rank, self._num_ranks, self._batch))


@contextmanager
def batches(
    samples: Samples,
    *,
    batch: int,
    start: int,
    stop: int,
    rank: int = 0,
    num_ranks: int = 1,
    workers: int = 0,
    prefetch: int = 2,
) -> Iterator[Iterator[Sample]]:
    """Iterate over batches [start, stop) of one device, in order, whatever prepares them.

    Args:
        samples: of the run.
        batch: clips in a batch.
        start, stop: numbers of batches, counted from the beginning of the run.
        rank, num_ranks: this device among all.
        workers: processes; 0 = one thread, which may render on the device.
        prefetch: batches ahead, for each worker.
    """
    dataset = _Batches(samples, batch, rank, num_ranks, start, stop)
    if workers > 0:
        # A generator of its own: the loader's seed would otherwise come from, and change, the global state.
        yield iter(
            DataLoader(
                dataset,
                batch_size=None,
                num_workers=workers,
                prefetch_factor=prefetch,
                generator=torch.Generator(),
                multiprocessing_context="spawn",
                worker_init_fn=_one_thread,
            )
        )
        return
    ahead = _Ahead(dataset, prefetch)
    try:
        yield iter(ahead)
    finally:
        ahead.close()


def _one_thread(_worker: int) -> None:
    torch.set_num_threads(1)


class _Ahead:
    """A thread that stays `depth` batches ahead of who reads them."""

    def __init__(self, dataset: _Batches, depth: int) -> None:
        self._dataset = dataset
        self._ready: queue.Queue[Sample | BaseException | None] = queue.Queue(depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="training batches", daemon=True)
        self._thread.start()

    def _fill(self) -> None:
        try:
            for place in range(len(self._dataset)):
                if not self._put(self._dataset[place]):
                    return
        except Exception as error:  # noqa: BLE001  carried to the reader, who raises it
            self._put(error)
        else:
            self._put(None)

    def _put(self, item: Sample | BaseException | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def __iter__(self) -> Iterator[Sample]:
        while (item := self._ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
