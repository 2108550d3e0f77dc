:INPUT,FORWARD,OUTPUT
-m mh ; ; FAIL
-p udp -m mh ; ; FAIL
! -p mobility-header -m mh ; ; FAIL
-p mobility-header -m mh ; = ; OK
-p 135 -m mh ; -p mobility-header -m mh ; OK
-p mh --mh-type 6 ; -p mobility-header -m mh --mh-type 6 ; OK
-p ipv6-mh -m mh --mh-type 200 ; -p mobility-header -m mh --mh-type 200 ; OK
-p mh -m mh --mh-type binding-update ; -p mobility-header -m mh --mh-type 5 ; OK
# the beginning of a name is enough, a whole name wins
-p mh -m mh --mh-type home-test ; -p mobility-header -m mh --mh-type 3 ; OK
-p mh -m mh --mh-type home ; -p mobility-header -m mh --mh-type 1 ; OK
-p mh -m mh --mh-type HOT ; -p mobility-header -m mh --mh-type 3 ; OK
-p mh -m mh --mh-type ba:be ; -p mobility-header -m mh --mh-type 6:7 ; OK
-p mh -m mh ! --mh-type brr:coti ; -p mobility-header -m mh ! --mh-type 0:2 ; OK
-p mh -m mh --mh-type 0:255 ; -p mobility-header -m mh ; OK
-p mh -m mh ! --mh-type : ; -p mobility-header -m mh ! --mh-type 0:255 ; OK
-p mh -m mh --mh-type 9: ; -p mobility-header -m mh --mh-type 9:255 ; OK
-p mh -m mh --mh-type 256 ; ; FAIL
-p mh -m mh --mh-type be:ba ; ; FAIL
-p mh -m mh --mh-type binding-thing ; ; FAIL
-p mh -m mh --mh-type 1:2:3 ; ; FAIL
-p mh -m mh --mh-type 1 --mh-type 2 ; ; FAIL
