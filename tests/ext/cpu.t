:INPUT,FORWARD,OUTPUT
-m cpu --cpu 3 ; = ; OK
-m cpu ! --cpu 0x1f ; -m cpu ! --cpu 31 ; OK
-m cpu --cpu one ; ; FAIL
-m cpu --cpu 0 --cpu 1 ; ; FAIL
-m cpu --cpu ; ; FAIL
