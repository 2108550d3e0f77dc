:INPUT,OUTPUT
-m hl --hl-eq 255 ; = ; OK
-m hl --hl 255 ; -m hl --hl-eq 255 ; OK
-m hl ! --hl 255 ; -m hl ! --hl-eq 255 ; OK
-m hl --hl-lt 0 ; = ; OK
-m hl --hl-gt 255 ; = ; OK
-m hl ! --hl-gt 5 ; ; FAIL
-m hl --hl-lt 5 --hl-eq 3 ; ; FAIL
-m hl --hl-lt 256 ; ; FAIL
-m hl ; ; FAIL
