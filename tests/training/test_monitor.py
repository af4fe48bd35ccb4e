import json

from training.monitor import Monitor, cut_back


def test_the_log_is_cut_back_to_the_checkpoint(tmp_path):
    path = tmp_path / "log.jsonl"
    lines = [json.dumps({"step": step, "seconds": 10.0 * step}) + "\n" for step in (1, 2, 3)]
    path.write_text("".join(lines) + '{"ste')
    assert cut_back(path, 2) == 20.0
    assert path.read_text() == "".join(lines[:2])
    assert cut_back(tmp_path / "none", 2) == 0.0


def test_the_seconds_trained_go_on_after_a_stop(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"step": 2, "seconds": 1000.0}\n{"step": 4, "seconds": 2000.0}\n')
    with Monitor(tmp_path, num_steps=3, first_step=2, interval=1) as monitor:
        monitor.step(3, {"loss": 1.0, "accuracy": 0.5}, waited=0.0, crops=4)
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert 1000.0 <= last["seconds"] < 1100.0


def test_intervals_are_averaged_and_the_last_is_written(tmp_path, capsys):
    with Monitor(tmp_path, num_steps=5, first_step=0, interval=2) as monitor:
        for step in range(1, 6):
            monitor.step(step, {"loss": float(step), "accuracy": 0.5}, waited=0.0, crops=4)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["loss"]) for line in lines] == [(2, 1.5), (4, 3.5), (5, 5.0)]
    assert all(line["crops_per_s"] > 0 for line in lines)


def test_one_plain_line_a_minute_where_there_is_no_terminal(tmp_path, capsys, monkeypatch):
    clock = iter(range(0, 10_000, 7))
    monkeypatch.setattr("training.monitor.time.monotonic", lambda: next(clock))
    with Monitor(tmp_path, num_steps=8, first_step=0, interval=1) as monitor:
        for step in range(1, 9):
            monitor.step(step, {"loss": 1.0, "accuracy": 0.5}, waited=0.0, crops=4)
    text = capsys.readouterr().err
    assert "of 8  loss 1.000  accuracy 0.500" in text
    assert 0 < text.count("step ") < 8
