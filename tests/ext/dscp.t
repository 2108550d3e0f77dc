:INPUT,OUTPUT
-m dscp --dscp 46 ; -m dscp --dscp 0x2e ; OK
-m dscp ! --dscp 0x0a ; = ; OK
-m dscp --dscp-class af43 ; -m dscp --dscp 0x26 ; OK
-m dscp ! --dscp-class cs7 ; -m dscp ! --dscp 0x38 ; OK
# what follows a class is not looked at
-m dscp --dscp-class EFx ; -m dscp --dscp 0x2e ; OK
-m dscp --dscp-class AF14 ; ; FAIL
-m dscp --dscp-class CS ; ; FAIL
-m dscp --dscp 64 ; ; FAIL
