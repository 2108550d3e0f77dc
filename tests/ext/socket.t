*mangle
:PREROUTING,INPUT
-m socket ; = ; OK
-m socket --restore-skmark --nowildcard --transparent ; -m socket --transparent --nowildcard --restore-skmark ; OK
-m socket ! --transparent ; ; FAIL
-m socket --transparent --transparent ; ; FAIL
:FORWARD,OUTPUT
-m socket ; ; FAIL
