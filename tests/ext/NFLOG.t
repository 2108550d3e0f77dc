:INPUT,FORWARD,OUTPUT
-j NFLOG ; = ; OK
-j NFLOG --nflog-group 0 --nflog-threshold 0 ; -j NFLOG ; OK
-j NFLOG --nflog-threshold 9 --nflog-group 65535 --nflog-prefix a/b ; -j NFLOG --nflog-prefix "a/b" --nflog-group 65535 --nflog-threshold 9 ; OK
-j NFLOG --nflog-size 0 ; = ; OK
-j NFLOG --nflog-size 4294967295 ; = ; OK
-j NFLOG --nflog-range 5 ; = ; OK ; legacy
-j NFLOG --nflog-range 5 ; -j NFLOG ; OK ; nft
# 63 bytes of the prefix are kept, or nft's 127
-j NFLOG --nflog-prefix aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaBB ; -j NFLOG --nflog-prefix aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ; OK ; legacy
-j NFLOG --nflog-prefix aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaBB ; = ; OK ; nft
-j NFLOG --nflog-group 65536 ; ; FAIL
-j NFLOG --nflog-prefix "" ; ; FAIL
-j NFLOG --nflog-range 1 --nflog-size 1 ; ; FAIL
-j NFLOG --nflog-size -1 ; ; FAIL
-j NFLOG ! --nflog-group 1 ; ; FAIL
