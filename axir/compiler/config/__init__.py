"""The compiler's settings: `CompilerConfig`, the declaration that everything about them derives from, their sources."""

from axir.compiler.config.card import Card, CardModel, read_card
from axir.compiler.config.config import CompilerConfig, Resolved, resolve
from axir.compiler.config.layers import Layer, Written, read_json_settings, read_toml_settings
from axir.compiler.config.setting import Setting
from axir.compiler.config.shipped import find_config, shipped_configs
from axir.compiler.config.table import find_setting, parse_setting, settings_table

__all__ = [
    "Card",
    "CardModel",
    "CompilerConfig",
    "Layer",
    "Resolved",
    "Setting",
    "Written",
    "find_config",
    "find_setting",
    "parse_setting",
    "read_card",
    "read_json_settings",
    "read_toml_settings",
    "resolve",
    "settings_table",
    "shipped_configs",
]
