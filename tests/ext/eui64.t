:INPUT,FORWARD
-m eui64 ; = ; OK
-m eui64 --eui64 ; ; FAIL
! -m eui64 ; ; FAIL
:OUTPUT
-m eui64 ; ; FAIL
*mangle
:PREROUTING,INPUT,FORWARD
-m eui64 ; = ; OK
:POSTROUTING,OUTPUT
-m eui64 ; ; FAIL
