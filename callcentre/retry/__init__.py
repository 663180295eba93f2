"""When to try again: call windows, holidays, slots and the policy; pure, without tables.

The reader's way: `slots`, `zones` and `windows` say when calling is open; `limits` and `state` are the
inputs; `rules` is the whole book of hard rules; `preference` chooses among what they permit; `plan` answers
the rest of the program. The preference that learns is `learnt`; it rests on `profiles` (what is known),
`learning` (the nightly refit), `waiting` (the price of a queue), `worth` (the arithmetic) and `comparison`
(the explanation). All instants are aware UTC, all dates local to the young person, and `now` is always an
argument.

    policy = policy_of(programme)                                   policy.Policy(hours, limits, preference)
    next_attempt(person, policy, now=now)                           -> CallAgain | OtherRoute | Stop
    may_call(person, policy, now=now, number_id=…, promised=…)      -> Permission | Refusal
    eligible_in(person, policy, block=block, now=now)               -> Option | Refusal
    why_not_now(person, policy, now=now)                            -> (reason, when, why_then)
    sentence(reason, "fr")                                          -> the words

    tuning = programme.tuning(settings.retry)                       the constants of `config/`
    first_fit(tuning) / Fit.from_json(stored)                       -> Fit, then every night:
    refit(fit, groups, seconds, tuning=tuning, today=date)          -> Fit
    after_block(load, slot, capacity=…, wanted=…, tuning=tuning)    -> Load
    with_learning(policy, fit, tuning, load)                        -> Policy, learnt or rotation
"""
