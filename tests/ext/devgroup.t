:INPUT
-m devgroup --src-group 0x7 ; = ; OK
-m devgroup --src-group 7/0xff ; -m devgroup --src-group 0x7/0xff ; OK
-m devgroup ! --src-group 7/0xffffffff ; -m devgroup ! --src-group 0x7 ; OK
-m devgroup --src-group default ; = ; OK
-m devgroup --src-group 0 ; -m devgroup --src-group default ; OK
-m devgroup --src-group 0/0 ; -m devgroup --src-group 0x0/0x0 ; OK
-m devgroup --dst-group 1 ; ; FAIL
:FORWARD
-m devgroup ! --dst-group 0x2 --src-group 0x1 ; -m devgroup --src-group 0x1 ! --dst-group 0x2 ; OK
-m devgroup --src-group default/1 ; ; FAIL
-m devgroup --src-group 1/x ; ; FAIL
-m devgroup --src-group 1/2/3 ; ; FAIL
-m devgroup --src-group 4294967296 ; ; FAIL
-m devgroup ; ; FAIL
:OUTPUT
-m devgroup --dst-group 0x5/0xf ; = ; OK
-m devgroup --src-group 5 ; ; FAIL
