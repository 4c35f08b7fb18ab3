"""How many examples the properties of the rules are tried with.

`quick` by default; on CI Hypothesis' own `ci` (the same examples every time, the failing one printed); `fuzz`
on request, by `--hypothesis-profile=fuzz` or `make fuzz`.
"""

from hypothesis import HealthCheck, settings

if settings.get_current_profile_name() in {"default", "ci"}:
    slow = (HealthCheck.too_slow, HealthCheck.data_too_large)
    settings.register_profile("quick", deadline=None, print_blob=True, suppress_health_check=slow)
    settings.register_profile("fuzz", settings.get_profile("quick"), max_examples=20_000)
    if settings.get_current_profile_name() == "default":
        settings.load_profile("quick")
