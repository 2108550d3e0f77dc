:OUTPUT,POSTROUTING
*mangle
-m owner --uid-owner 1000 ; = ; OK
-m owner ! --uid-owner nobody --gid-owner www-data ; -m owner ! --uid-owner 65534 --gid-owner 33 ; OK
-m owner --uid-owner 10:20 ; -m owner --uid-owner 10-20 ; OK
-m owner --uid-owner 0x10-0x10 ; -m owner --uid-owner 16 ; OK
-m owner --uid-owner 4294967294 ; = ; OK
-m owner ! --socket-exists ; = ; OK
-m owner --gid-owner 5 --socket-exists ; -m owner --socket-exists --gid-owner 5 ; OK
-m owner ! --gid-owner 5 --suppl-groups ; = ; OK
-m owner --uid-owner 4294967295 ; ; FAIL
-m owner --uid-owner 5-x ; ; FAIL
-m owner --uid-owner 5- ; ; FAIL
-m owner --uid-owner nosuchuser ; ; FAIL
# the kernel refuses what is upside down
-m owner --uid-owner 20-10 ; ; FAIL
-m owner --gid-owner 20-10 ; ; FAIL
-m owner --suppl-groups --gid-owner 5 ; ; FAIL
-m owner ; ; FAIL
:INPUT,PREROUTING,FORWARD
-m owner --uid-owner 0 ; ; FAIL
