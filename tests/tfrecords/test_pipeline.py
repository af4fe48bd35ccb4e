import numpy as np

from tests.datasets import make_folder
from tfrecords.config import Augmentation
from tfrecords.order import Shuffled
from tfrecords.pipeline import embedding_batches, training_batches
from tfrecords.selection import select

PLAIN = Augmentation(flip=0)


def batches(folder, first, last, *, augmentation=PLAIN, batch_size=7, seed=2):
    selection = select(folder)
    order = Shuffled(selection.labels, seed)
    return [{name: value.numpy() for name, value in batch.items()} for batch in training_batches(
        folder, selection, order=order, augmentation=augmentation, batch_size=batch_size, first_step=first,
        last_step=last)], order, selection


def test_a_step_holds_the_crops_of_its_running_numbers(folder):
    found, order, selection = batches(folder, 3, 6)
    assert len(found) == 3
    for step, batch in enumerate(found, start=3):
        g = np.arange(7 * step, 7 * step + 7)
        np.testing.assert_array_equal(batch["g"], g)
        for crop, label, place in zip(batch["crops"], batch["labels"], order(g), strict=True):
            np.testing.assert_array_equal(crop, folder.crop(selection.records[place]))
            assert label == selection.labels[place]
        assert batch["crops"].dtype == np.uint8
        assert batch["labels"].dtype == np.int32


def test_starting_late_gives_the_same_steps(folder):
    augmentation = Augmentation(shift_px=3, erase=0.5, colour=0.2)
    whole, _, _ = batches(folder, 0, 6, augmentation=augmentation)
    late, _, _ = batches(folder, 4, 6, augmentation=augmentation)
    for a, b in zip(whole[4:], late, strict=True):
        np.testing.assert_array_equal(a["crops"], b["crops"])


def test_a_partial_epoch_is_completed_from_the_next(folder):
    found, _, _ = batches(folder, 0, 30)   # 210 = 7 epochs of 30
    counts = np.bincount(np.concatenate([batch["labels"] for batch in found]))
    assert counts.tolist() == [35] * 6
    assert all(len(batch["labels"]) == 7 for batch in found)


def test_other_batch_sizes_meet_the_same_crops(folder):
    small, _, _ = batches(folder, 0, 6, batch_size=5)
    large, _, _ = batches(folder, 0, 2, batch_size=15)
    np.testing.assert_array_equal(np.concatenate([b["crops"] for b in small]),
                                  np.concatenate([b["crops"] for b in large]))


def test_embedding_reads_every_crop_once(tmp_path):
    folder = make_folder(tmp_path / "wide", template="112x112", people=3, photos=3)
    parts = list(embedding_batches(folder, batch_size=4))
    assert [len(crops) for crops, _ in parts] == [4, 4, 1]
    assert np.concatenate([numbers for _, numbers in parts]).tolist() == list(range(9))
    np.testing.assert_array_equal(parts[2][0][0], folder.crop(8))
    assert parts[0][0].shape[1:] == (112, 112, 3)
