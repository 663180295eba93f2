"""When to try again: call windows, holidays, slots and the policy; pure, without tables.

The reader's way: `slots`, `zones` and `windows` say when calling is open; `limits` and `state` are the
inputs; `rules` is the whole book of hard rules; `preference` chooses among what they permit; `plan` answers
the rest of the program. All instants are aware UTC, all dates local to the young person, and `now` is always
an argument.

    policy = policy_of(programme)                                   policy.Policy(hours, limits, preference)
    next_attempt(person, policy, now=now)                           -> CallAgain | OtherRoute | Stop
    may_call(person, policy, now=now, number_id=…, promised=…)      -> Permission | Refusal
    eligible_in(person, policy, block=block, now=now)               -> Option | Refusal
    why_not_now(person, policy, now=now)                            -> (reason, when, why_then)
    sentence(reason, "fr")                                          -> the words
"""
