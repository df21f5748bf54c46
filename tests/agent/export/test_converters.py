import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

PROBE = """
import sys
from pathlib import Path
from agent.base_models.llama_cpp import Prepared, know_config, model_class
know_config(Prepared(config='{"architectures": ["LlamaForCausalLM"]}', vocabulary={}))
assert model_class(Path()).__name__ == "LlamaModel"
assert "transformers" not in sys.modules
from transformers import AutoConfig
assert AutoConfig.__name__ == "AutoConfig"
"""


def test_converters_of_a_prepared_model_do_without_transformers_which_is_there_all_the_same() -> None:
    subprocess.run([sys.executable, "-c", PROBE], check=True, timeout=120)
