:INPUT,OUTPUT
-m connbytes --connbytes 10:20 --connbytes-mode bytes --connbytes-dir both ; = ; OK
-m connbytes ! --connbytes 10:20 --connbytes-mode packets --connbytes-dir reply ; = ; OK
-m connbytes ! --connbytes 10 --connbytes-mode packets --connbytes-dir reply ; = ; OK
-m connbytes --connbytes-dir reply --connbytes 10: --connbytes-mode avgpkt ; -m connbytes --connbytes 10 --connbytes-mode avgpkt --connbytes-dir reply ; OK
# of one number alone an inversion is lost
-m connbytes ! --connbytes 10:10 --connbytes-mode bytes --connbytes-dir both ; -m connbytes --connbytes 10:10 --connbytes-mode bytes --connbytes-dir both ; OK
-m connbytes --connbytes 20:10 --connbytes-mode bytes --connbytes-dir both ; ; FAIL
-m connbytes --connbytes 1:2:3 --connbytes-mode bytes --connbytes-dir both ; ; FAIL
-m connbytes --connbytes 10 --connbytes-mode Bytes --connbytes-dir both ; ; FAIL
-m connbytes --connbytes 10 --connbytes-mode bytes --connbytes-dir orig ; ; FAIL
-m connbytes --connbytes 10 --connbytes-mode bytes ! --connbytes-dir both ; ; FAIL
