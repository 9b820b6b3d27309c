"""The keys of a model card: which there are, where they belong, which of them the compiler uses.

The names are those of the cards in the vendor's public SDK (axelera/app/schema/static.py there).
"""

from __future__ import annotations

from dataclasses import dataclass

from axir.compiler.config.layers import OLDER_FORM

ONNX_MODEL, YOLO_MODEL = "AxONNXModel", "AxUltralyticsYOLO"
CLASSES = (ONNX_MODEL, YOLO_MODEL)

LAYOUTS = ("NCHW", "NHWC", "CHWN")
COLORS = ("RGB", "BGR", "RGBA", "BGRA", "GRAY")


@dataclass(frozen=True)
class Level:
    """One kind of mapping in a card: where it stands, the keys that the compiler uses, and others that cards have."""

    where: str
    used: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        return (*self.used, *self.others)

    def path(self, model: str) -> str:
        """Where it stands in the card of a model; empty at the top."""
        return self.where.format(model=model)


CARD = Level(
    "",
    ("models",),
    (
        "axelera-model-format",
        "datasets",
        "description",
        "internal-model-card",
        "model-env",
        "name",
        "operators",
        "pipeline",
        "pipeline_assets",
    ),
)
MODEL = Level(
    "models.{model}",
    ("class", "weight_path", "input_tensor_shape", "input_tensor_layout", "input_color_format", "extra_kwargs"),
    (
        "base_dir",
        "class_path",
        "dataset",
        "label_filter",
        "labels",
        "model_type",
        "num_classes",
        "precompiled_md5",
        "precompiled_path",
        "precompiled_url",
        "prequantized_md5",
        "prequantized_path",
        "prequantized_url",
        "task_category",
        "version",
        "weight_md5",
        "weight_url",
    ),
)
EXTRA = Level(
    "models.{model}.extra_kwargs",
    ("compiler_config_file", "compilation_config", "num_cal_images", "cal_seed"),
    (
        "RetinaFace",
        "YOLO",
        "aipu_cores",
        "clock_profile",
        "convert_first_node_to_1_channel",
        "darknet_cfg_path",
        "m2",
        "max_compiler_cores",
        "max_execution_cores",
        "mmseg",
        "mvm_limitation",
        "resize_size",
        "timm_model_args",
        "torchvision_args",
    ),
)
COMPILATION = Level("models.{model}.extra_kwargs.compilation_config", OLDER_FORM)

BELONGS = {key: level for level in (CARD, MODEL, EXTRA, COMPILATION) for key in level.used}
"""Where the keys that are used belong; everywhere else they are an error."""

DEPLOYMENT = {
    "aipu_cores": "aipu_cores_used",
    "max_compiler_cores": "aipu_cores_used",
    "clock_profile": "frequency",
    "mvm_limitation": "mvm_utilization_limit",
}
"""Keys of `EXTRA` that the vendor's deployment tools read; the settings with which the compiler is told such things."""
