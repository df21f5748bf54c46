"""Stage 6: the adapter becomes a GGUF that stands alone, an adapter GGUF, a zip for PEFT, and a Modelfile."""

from pathlib import Path

from agent.base_models.llama_cpp import read_prepared
from agent.data.chat_template import ChatTemplate
from agent.export.finished_template import finished_template
from agent.export.gguf import write_adapter_gguf, write_gguf
from agent.export.merge import MergeTarget
from agent.export.modelfile import write_modelfile
from agent.job_folder.durable import replace_file
from agent.pipeline.context import Context
from agent.pipeline.evaluation import read_evaluation
from agent.pipeline.prepare import base_card, read_character
from shared.events import StageData
from shared.jobs import Stage
from shared.language import _


def run(context: Context) -> None:
    """Write export/. Raises AgentError."""
    card = base_card(context)
    adapter, export = context.folder.adapter, context.folder.export
    export_gguf(context, context.spec.settings.held_in)
    context.check_wishes()
    if context.spec.settings.use_dora:
        said = _("No adapter file for llama.cpp is written: it does not know DoRA.")
        context.log.write(said, StageData(stage=Stage.export, done=False))
    else:
        prepared = read_prepared(Path(context.spec.base_model_cache))
        write_adapter_gguf(Path(card.folder), adapter, export / f"{context.spec.name}-adapter.gguf", prepared=prepared)
        context.pulse.beat()
    answers = read_evaluation(context).tuned_answers
    modelfile = write_modelfile(
        gguf_name=context.gguf.name,
        template=ChatTemplate(card),
        stops=card.eos_tokens,
        character=read_character(context.folder),
        longest_answer=max(answer.prompt.expected_tokens for answer in answers),
        card_name=context.spec.base_model,
    )
    replace_file(export / "Modelfile", modelfile.encode())


def export_gguf(context: Context, target: MergeTarget) -> None:
    """Write the standalone GGUF, merged onto `target`, in place of any before. Raises AgentError."""
    card = base_card(context)
    out = context.gguf
    prepared = read_prepared(Path(context.spec.base_model_cache))
    character, template = read_character(context.folder), ChatTemplate(card)
    write_gguf(
        Path(card.folder),
        context.folder.adapter,
        out,
        name=context.spec.name,
        target=target,
        prepared=prepared,
        chat_template=finished_template(
            card.chat_template, system=character.system, thinks=character.thinks, habits=template.habits
        ),
    )
    context.pulse.beat()
