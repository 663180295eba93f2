"""When to try again: call windows, holidays, slots and the policy; pure, without tables."""
