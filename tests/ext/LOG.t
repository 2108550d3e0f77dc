:INPUT,FORWARD,OUTPUT
-j LOG ; = ; OK
-j LOG --log-level warning ; -j LOG ; OK
-j LOG --log-level panic ; -j LOG --log-level 0 ; OK
-j LOG --log-level 7 ; = ; OK
-j LOG --log-level 0x3 ; -j LOG --log-level 3 ; OK
-j LOG --log-level 8 ; ; FAIL
-j LOG --log-level Debug ; ; FAIL
-j LOG --log-level warn ; ; FAIL
-j LOG --log-prefix in: ; -j LOG --log-prefix "in:" ; OK
-j LOG --log-prefix abc_1-2 ; = ; OK
-j LOG --log-prefix "" ; ; FAIL
# 29 bytes are kept
-j LOG --log-prefix 12345678901234567890123456789xyz ; -j LOG --log-prefix 12345678901234567890123456789 ; OK
-j LOG --log-uid --log-macdecode --log-tcp-options --log-tcp-sequence --log-ip-options --log-level info --log-prefix x ; -j LOG --log-prefix x --log-level 6 --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid --log-macdecode ; OK
-j LOG --log-uid --log-uid ; ; FAIL
-j LOG ! --log-uid ; ; FAIL
-j LOG --log-prefix ; ; FAIL
*nat
:PREROUTING,POSTROUTING
-j LOG --log-tcp-sequence ; = ; OK
