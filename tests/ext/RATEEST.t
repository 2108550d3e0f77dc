:INPUT,FORWARD,OUTPUT
-j RATEEST --rateest-name lan --rateest-interval 500.0ms --rateest-ewmalog 4.0s ; = ; OK
# intervals go up to a quarter second times a power of two; the constant is a power of two times the interval
-j RATEEST --rateest-name lan --rateest-interval 1sec --rateest-ewmalog 9SECS ; -j RATEEST --rateest-name lan --rateest-interval 1.0s --rateest-ewmalog 8.0s ; OK
-j RATEEST --rateest-name lan --rateest-interval 250000 --rateest-ewmalog 600msecs ; -j RATEEST --rateest-name lan --rateest-interval 250.0ms --rateest-ewmalog 500.0ms ; OK
-j RATEEST --rateest-name lan --rateest-interval 250001us --rateest-ewmalog 2.5e0s ; -j RATEEST --rateest-name lan --rateest-interval 500.0ms --rateest-ewmalog 4.0s ; OK
-j RATEEST --rateest-name abcdefghijklmnopqrs --rateest-interval 8s --rateest-ewmalog 64s ; -j RATEEST --rateest-name abcdefghijklmno --rateest-interval 8.0s --rateest-ewmalog 64.0s ; OK
-j RATEEST --rateest-name lan --rateest-interval 8.1s --rateest-ewmalog 64s ; ; FAIL
-j RATEEST --rateest-name lan --rateest-interval 250ms --rateest-ewmalog 250ms ; ; FAIL
-j RATEEST --rateest-name lan --rateest-interval 0 --rateest-ewmalog 1s ; ; FAIL
-j RATEEST --rateest-name lan --rateest-interval 1min --rateest-ewmalog 1s ; ; FAIL
-j RATEEST --rateest-name lan --rateest-interval 1s --rateest-ewmalog x ; ; FAIL
-j RATEEST --rateest-name lan --rateest-interval 1s ; ; FAIL
-j RATEEST --rateest-interval 1s --rateest-ewmalog 8s ; ; FAIL
-j RATEEST ; ; FAIL
