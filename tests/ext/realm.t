:INPUT,FORWARD,OUTPUT
-m realm --realm 7 ; -m realm --realm 0x7 ; OK
-m realm --realm 7/0xf ; -m realm --realm 0x7/0xf ; OK
-m realm ! --realm 0x7/0xffffffff ; -m realm ! --realm 0x7 ; OK
-m realm --realm cosmos ; = ; OK
-m realm --realm 0 ; -m realm --realm cosmos ; OK
-m realm --realm world ; ; FAIL
-m realm --realm 7/ ; ; FAIL
-m realm ; ; FAIL
*mangle
:PREROUTING
-m realm --realm 7 ; ; FAIL
