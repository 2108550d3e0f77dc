:INPUT,OUTPUT
-p icmp -m icmp --icmp-type 8 ; = ; OK
-p icmp -m icmp ! --icmp-type 8 ; = ; OK
-p icmp -m icmp --icmp-type echo-request ; -p icmp -m icmp --icmp-type 8 ; OK
-p icmp -m icmp --icmp-type PING ; -p icmp -m icmp --icmp-type 8 ; OK
-p icmp --icmp-type host-redirect ; -p icmp -m icmp --icmp-type 5/1 ; OK
-p 1 --icmp-type 3/4 ; -p icmp -m icmp --icmp-type 3/4 ; OK
-p icmp -m icmp --icmp-type 0x0b/0x1 ; -p icmp -m icmp --icmp-type 11/1 ; OK
-p icmp -m icmp --icmp-type 3/1:3 ; -p icmp -m icmp --icmp-type 3/1 ; OK
-p icmp -m icmp --icmp-type 255 ; -p icmp -m icmp --icmp-type any ; OK
-p icmp -m icmp --icmp-type 255/0 ; = ; OK
# beginnings of a name, when only one fits
-p icmp -m icmp --icmp-type timestamp-req ; -p icmp -m icmp --icmp-type 13 ; OK
-p icmp -m icmp --icmp-type echo ; ; FAIL
-p icmp -m icmp --icmp-type "" ; ; FAIL
-p icmp -m icmp --icmp-type 8:9 ; ; FAIL
-p icmp -m icmp --icmp-type 256 ; ; FAIL
-p icmp -m icmp --icmp-type 8/256 ; ; FAIL
-p icmp -m icmp --icmp-type 8/ ; ; FAIL
-p icmp -m icmp --icmp-type 8/0/0 ; ; FAIL
-p icmp -m icmp --icmp-type 8x ; ; FAIL
-p icmp -m icmp --icmp-type 8 --icmp-type 8 ; ; FAIL
-p icmp -m icmp --icmp-type ; ; FAIL
-p icmp -m icmp ; ; FAIL
# the kernel wants -p icmp
-m icmp --icmp-type 8 ; ; FAIL
-p udp -m icmp --icmp-type 8 ; ; FAIL
! -p icmp -m icmp --icmp-type 8 ; ; FAIL
