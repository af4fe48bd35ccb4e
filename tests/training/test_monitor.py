import json

from training.monitor import Monitor, cut_back


def test_the_log_is_cut_back_to_the_checkpoint(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"ste')
    cut_back(path, 2)
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n'
    cut_back(tmp_path / "none", 2)


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
