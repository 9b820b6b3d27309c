"""The compiler's settings: `CompilerConfig`, and the declaration that everything about them derives from."""

from axir.compiler.config.config import CompilerConfig, find_setting, parse_setting, settings_table

__all__ = ["CompilerConfig", "find_setting", "parse_setting", "settings_table"]
