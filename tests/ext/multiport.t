:INPUT,OUTPUT
-p tcp -m multiport --dports 22,80,443 ; = ; OK
-p tcp -m multiport ! --sports 1:1023 ; = ; OK
-p udp -m multiport --destination-ports 53,5353 ; -p udp -m multiport --dports 53,5353 ; OK
-p udp -m multiport --source-ports domain ; -p udp -m multiport --sports 53 ; OK
-p tcp -m multiport ! --ports ssh,http:81 ; -p tcp -m multiport ! --ports 22,80:81 ; OK
-p 132 -m multiport --ports 0x50,010 ; -p sctp -m multiport --ports 80,8 ; OK
-p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15 ; = ; OK
-p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15:16 ; ; FAIL
-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 ; ; FAIL
-p tcp -m multiport --dports 80:80 ; ; FAIL
-p tcp -m multiport --dports 90:80 ; ; FAIL
-p tcp -m multiport --dports 80: ; ; FAIL
-p tcp -m multiport --dports 80, ; ; FAIL
-p tcp -m multiport --dports 65536 ; ; FAIL
-p tcp -m multiport --dports 80 --sports 80 ; ; FAIL
-p tcp -m multiport --dports 80 --destination-ports 81 ; ; FAIL
-p tcp -m multiport ; ; FAIL
# -p has to stand before, and be one with ports
-m multiport --dports 80 -p tcp ; ; FAIL
! -p tcp -m multiport --dports 80 ; ; FAIL
-p icmp -m multiport --dports 80 ; ; FAIL
-m multiport --dports 80 ; ; FAIL
