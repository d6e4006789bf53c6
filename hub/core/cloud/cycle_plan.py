"""Decides when the next relay cycle is due, from what happened since the last one."""

import math

import msgspec

QUIET_S = 5.0
"""A phone's push is relayed when nothing has been pushed for so long."""
PATIENCE_S = 30.0
"""But no later than this after the first one."""
LOOK_AGAIN_S = 60.0
"""While the hub may not relay by its own rules, or its database cannot be read."""


class CyclePlan(msgspec.Struct, frozen=True):
    """When the next cycle is due; times are of the monotonic clock, in seconds. The first one is due at once."""

    next_s: float = -math.inf
    not_before_s: float = -math.inf
    first_push_s: float | None = None
    """The first push that no cycle has carried."""
    last_push_s: float = -math.inf
    awaits_line: bool = False
    """The last cycle found no way to the cloud: a new line ends the wait."""
    is_postponed: bool = False
    """The hub was not allowed to relay by its own rules: new rules end the wait."""

    @property
    def due_s(self) -> float:
        """Return when the next cycle is due."""
        pushed_s = math.inf
        if self.first_push_s is not None:
            pushed_s = min(self.last_push_s + QUIET_S, self.first_push_s + PATIENCE_S)
        return max(min(self.next_s, pushed_s), self.not_before_s)

    def pushed(self, now_s: float) -> "CyclePlan":
        """Return the plan after a phone, or somebody else, changed a record that the cloud is to have."""
        first_s = now_s if self.first_push_s is None else self.first_push_s
        return msgspec.structs.replace(self, first_push_s=first_s, last_push_s=now_s)

    def line_came_up(self, now_s: float) -> "CyclePlan":
        """Return the plan after a way out of the local network appeared."""
        not_before_s = -math.inf if self.awaits_line else self.not_before_s
        return msgspec.structs.replace(self, next_s=min(self.next_s, now_s), not_before_s=not_before_s)

    def rules_changed(self, now_s: float, usual_s: float) -> "CyclePlan":
        """Return the plan after the settings changed: a longer wait than the new usual one is cut short."""
        if self.is_postponed:
            return CyclePlan(next_s=now_s)
        return msgspec.structs.replace(self, next_s=min(self.next_s, now_s + usual_s))

    def begun(self) -> "CyclePlan":
        """Return the plan while a cycle runs that carries all pushes until now."""
        return msgspec.structs.replace(self, first_push_s=None)

    def ended(self, now_s: float, *, wait_s: float, is_firm: bool = False, awaits_line: bool = False) -> "CyclePlan":
        """Return the plan after a cycle.

        is_firm: not even a push ends the wait sooner: the cycle failed, or the cloud asked for the wait.
        awaits_line: there was no line; a new one ends even a firm wait.
        """
        next_s = now_s + wait_s
        not_before_s = next_s if is_firm else -math.inf
        return CyclePlan(next_s, not_before_s, self.first_push_s, self.last_push_s, awaits_line)

    def postponed(self, now_s: float) -> "CyclePlan":
        """Return the plan where no cycle may begin now, though one is due."""
        next_s = now_s + LOOK_AGAIN_S
        return CyclePlan(next_s, next_s, self.first_push_s, self.last_push_s, is_postponed=True)
