# no estimator exists in an empty ruleset
:INPUT,FORWARD,OUTPUT
-m rateest --rateest lan --rateest-lt --rateest-bps 1mbit ; ; FAIL
-m rateest --rateest lan --rateest-lt ; ; FAIL
-m rateest --rateest lan --rateest-pps 5 ; ; FAIL
-m rateest --rateest lan --rateest-gt --rateest-pps x ; ; FAIL
-m rateest --rateest lan --rateest-gt --rateest-bps 1zbit ; ; FAIL
-m rateest ! --rateest lan --rateest-gt --rateest-pps 1 ; ; FAIL
-m rateest --rateest lan --rateest1 wan --rateest-gt --rateest-pps 1 ; ; FAIL
-m rateest ; ; FAIL
