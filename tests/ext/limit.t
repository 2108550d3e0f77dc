:INPUT,OUTPUT
-m limit ; -m limit --limit 3/hour ; OK
-m limit --limit 10 ; -m limit --limit 10/sec ; OK
-m limit --limit 10/s ; -m limit --limit 10/sec ; OK
-m limit --limit 5/Minute ; -m limit --limit 5/min ; OK
-m limit --limit 5/h --limit-burst 7 ; -m limit --limit 5/hour --limit-burst 7 ; OK
-m limit --limit-burst 5 ; -m limit --limit 3/hour ; OK
# shown in the unit that fits best
-m limit --limit 60/min ; -m limit --limit 1/sec ; OK
-m limit --limit 3000/hour ; -m limit --limit 50/min ; OK
-m limit --limit 24/day ; -m limit --limit 1/hour ; OK
-m limit --limit 6000/sec ; -m limit --limit 10000/sec ; OK
-m limit --limit 1/day --limit-burst 1 ; = ; OK
# too large a bucket for xt_limit; nft_limit takes it
-m limit --limit 1/day --limit-burst 2 ; ; FAIL ; legacy
-m limit --limit 1/day --limit-burst 2 ; = ; OK ; nft
-m limit --limit 1/sec --limit-burst 0 ; ; FAIL ; legacy
-m limit --limit 10001/sec ; ; FAIL
-m limit --limit 0/sec ; ; FAIL
-m limit --limit 1/ ; ; FAIL
-m limit --limit 1/week ; ; FAIL
-m limit --limit 1/seconds ; ; FAIL
-m limit --limit sec ; ; FAIL
-m limit --limit -1 ; ; FAIL
-m limit --limit 1/sec --limit-burst 10001 ; ; FAIL
-m limit ! --limit 1/sec ; ; FAIL
-m limit --limit 1/sec --limit 1/sec ; ; FAIL
