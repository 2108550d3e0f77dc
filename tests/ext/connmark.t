:INPUT,OUTPUT
-m connmark --mark 1 ; -m connmark --mark 0x1 ; OK
-m connmark ! --mark 0x10/0xf0 ; = ; OK
-m connmark --mark 010/020 ; -m connmark --mark 0x8/0x10 ; OK
-m connmark --mark 1/ ; ; FAIL
-m connmark --mark 1/2/3 ; ; FAIL
-m connmark --mark 0x100000000 ; ; FAIL
-m connmark --mark 1 --mark 1 ; ; FAIL
