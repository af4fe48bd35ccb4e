"""Typed command lines: dataclass defaults < preset files from left to right < options.

Imported by commands and `__main__` files only: libraries receive dataclasses.
"""

import dataclasses
import errno
import functools
import os
import re
import sys
import typing
from pathlib import Path

import yaml

from base.checks import SettingsError, near_names
from base.stop import Interrupt, ignore_at_exit

_CURES = {
    errno.ENOSPC: "free some and run the same command again: it goes on",
    errno.EDQUOT: "free some and run the same command again: it goes on",
    errno.EACCES: "give yourself the right to it, or name another place",
    errno.EPERM: "give yourself the right to it, or name another place",
    errno.EROFS: "name a place that can be written to",
    errno.ENOTDIR: "a part of the path is a file; name another place",
    errno.EEXIST: "a file stands there; name another place",
    errno.EISDIR: "it is a folder, name a file",
    errno.ENOENT: "look for a slip in the path",
}
_STOPPED = "stopped; what is finished stays, the same command goes on from there"
_FULL = os.strerror(errno.ENOSPC)


def parse(settings_class, argv, program, *, leading="presets", describe=""):
    """Returns a `settings_class` made from command-line words; exits 2 with one sentence where they are wrong.

    Args:
        settings_class: a dataclass, its fields with defaults and a sentence each (nested dataclasses are sections).
        argv: the words after the program's name.
        program: the name to print, such as `train.py`.
        leading: what the words before the first option are: "presets" (YAML files, the later the stronger), or the
            name of a list field of `settings_class` that takes them.
        describe: a sentence or two for the head of `--help`.
    """
    argv = [_at_home(word) for word in argv]
    count = next((i for i, word in enumerate(argv) if word.startswith("-")), len(argv))
    words, options = argv[:count], _join_words(settings_class, argv[count:])
    presets = words if leading == "presets" else []
    try:
        for preset in presets:
            _check_preset(settings_class, preset)
        parser = _parser(settings_class, program, presets=presets, leading=leading, describe=describe)
        if leading != "presets" and words:
            options = [f"--{leading}", _as_list(words), *options]
        return _instance(settings_class, parser, parser.parse_args(_drop_params(settings_class, presets, options)))
    except (_library().ArgumentError, ValueError) as error:
        print(f"{program}: {_sentence(error, settings_class)}", file=sys.stderr)
        sys.exit(2)


def command(program):
    """Decorates `main(argv) -> exit code`: a user's mistake prints one sentence and gives 2, Ctrl-C gives 130.

    A defect of ours keeps its traceback.
    """
    def decorate(main):
        @functools.wraps(main)
        def wrapped(argv):
            stop = Interrupt()
            try:
                with stop:
                    return main(argv)
            except BaseException as error:
                sentence = _STOPPED if stop.is_set() or isinstance(error, KeyboardInterrupt) else _told(error)
                if not sentence:
                    raise
                print(f"{program}: {' '.join(sentence.split())}", file=sys.stderr)
                return 130 if sentence is _STOPPED else 2
            finally:
                ignore_at_exit()
        return wrapped
    return decorate


def _told(error):
    """The sentence about an error for a person; "" where it is a defect of ours."""
    text = str(error)
    if _FULL in text:   # TensorFlow and HDF5 have kinds of errors of their own
        named = re.search(rf"(/[^;{{}}]*); {_FULL}", text)   # as TensorFlow writes it
        path = getattr(error, "filename", None) or (named[1] if named else "what was to be written")
        return f"no space left on the disk for {path}; {_CURES[errno.ENOSPC]}"
    if isinstance(error, OSError) and error.errno is not None:   # the system's
        named = f"{error.filename}: " if error.filename else ""
        return f"{named}{error.strerror}; {_CURES.get(error.errno, 'look there')}"
    is_ours = isinstance(error, SettingsError | OSError) or (isinstance(error, ValueError) and not _is_defect(error))
    return text if is_ours else ""


def _is_defect(error):
    """A ValueError raised by another package (no frame of ours raised it) is a defect, not a sentence for a person."""
    frame = error.__traceback__
    while frame.tb_next is not None:
        frame = frame.tb_next
    root = Path(__file__).resolve().parent.parent
    raised_in = Path(frame.tb_frame.f_code.co_filename)   # no file where the code is frozen or compiled
    is_ours = raised_in.is_file() and raised_in.resolve().is_relative_to(root)
    return not is_ours or "site-packages" in raised_in.parts


def _at_home(word):
    """`~/x` and `--input=~/x` -> the path; the shell leaves them alone after `=` and within quotation marks."""
    name, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return name + equals + (os.path.expanduser(value) if value.startswith("~/") else value)


@functools.cache
def _library():
    """jsonargparse; imported after `command` has taken over the signals, for it takes a while."""
    import jsonargparse
    jsonargparse.set_parsing_settings(docstring_parse_attribute_docstrings=True)
    return jsonargparse


def _parser(settings_class, program, *, presets=(), leading="presets", describe=""):
    words = "[PRESET.yaml ...]" if leading == "presets" else f"{leading.upper()} ..."
    parser = _library().ArgumentParser(
        prog=program,
        usage=f"{program} {words} [--section.field VALUE ...]",
        description=describe or None,
        default_config_files=list(presets),   # not --config: that one obeys its position among the options
        allow_abbrev=False,
        exit_on_error=False,
    )
    parser.add_class_arguments(settings_class)
    return parser


def _check_preset(settings_class, preset):
    if Path(preset).is_dir():
        raise SettingsError(f"{preset!r} is a folder, expected a preset file before the options; folders are named by "
                            f"options, which --help lists")
    if not Path(preset).is_file():            # a missing default file would be skipped in silence
        known = [str(path) for path in Path("presets").rglob("*.yaml")]
        raise SettingsError(f"there is no preset {preset!r}{near_names(preset, known)}")
    try:
        parser = _parser(settings_class, preset)
        _instance(settings_class, parser, parser.parse_path(preset))
    except UnicodeDecodeError as error:
        raise SettingsError(f"{preset} is no text, expected a preset, a YAML file") from error
    except (_library().ArgumentError, ValueError) as error:
        raise SettingsError(f"{preset}: {_sentence(error, settings_class)}") from error


def chosen(argv, section, name, default):
    """Returns what words of a command line choose for `section.name`: options before later presets before earlier."""
    count = next((i for i, word in enumerate(argv) if word.startswith("-")), len(argv))
    value = default
    for preset in argv[:count]:
        value = _section(preset, section).get(name, value)
    for index, word in enumerate(argv[count:], start=count):
        if word.startswith(f"--{section}.{name}="):
            value = word.split("=", 1)[1]
        elif word == f"--{section}.{name}" and index + 1 < len(argv):
            value = argv[index + 1]
    return value


def _drop_params(settings_class, presets, options):
    """Where the loss finally chosen is not the one whose preset gave `loss.params`, those are emptied first."""
    if "loss" not in {field.name for field in dataclasses.fields(settings_class)}:
        return options
    name, owner = None, None
    for preset in presets:
        name = _section(preset, "loss").get("name", name)
        owner = name if "params" in _section(preset, "loss") else owner
    final = chosen([*presets, *options], "loss", "name", None)
    return options if owner in (None, final) else ["--loss.params", "{}", *options]


def _section(preset, name):
    try:
        content = yaml.safe_load(Path(preset).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return {}   # said by _check_preset
    section = content.get(name) if isinstance(content, dict) else None
    return section if isinstance(section, dict) else {}


def _list_options(settings_class, prefix=""):
    """Yields `--section.field` and the type of its items for every list field."""
    for field in dataclasses.fields(settings_class):
        name = f"{prefix}{field.name}"
        if dataclasses.is_dataclass(field.type):
            yield from _list_options(field.type, f"{name}.")
        elif typing.get_origin(field.type) is list:
            yield f"--{name}", typing.get_args(field.type)[0]


def _join_words(settings_class, options):
    """Lists take several words: `--benchmarks a b` becomes `--benchmarks [a, b]`, also where there is one word."""
    kinds, joined = dict(_list_options(settings_class)), []
    place = 0
    while place < len(options):
        word = options[place]
        place += 1
        joined.append(word)
        if word not in kinds:
            continue
        words = []
        while place < len(options) and not options[place].startswith("--"):
            words.append(options[place])
            place += 1
        if len(words) == 1 and (words[0].startswith("[") or words[0] == "null"):
            joined += words
        elif words:
            joined.append(_as_list(words) if kinds[word] is str else f"[{', '.join(words)}]")
    return joined


def _as_list(words):
    return yaml.safe_dump(list(words), default_flow_style=True, width=10**9).strip()


def _instance(settings_class, parser, namespace):
    return settings_class(**vars(parser.instantiate(namespace)))


def _sentence(error, settings_class):
    """Shortens jsonargparse's message to one sentence and adds the nearest field name."""
    message = " ".join(str(error).split())
    message = re.sub(r"^Parser key \"([^\"]+)\":\s*", r"\1: ", message)
    unknown = re.search(r"(?:arguments: --|accept option ')([\w.\-]+)", message)
    if not unknown:
        return message
    names = list(_parser(settings_class, "").get_defaults().keys())
    return message + near_names(unknown[1], names + [name.rpartition(".")[2] for name in names])
