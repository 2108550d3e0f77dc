*mangle
:FORWARD,OUTPUT,POSTROUTING
-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400 ; = ; OK
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu ; -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j TCPMSS --clamp-mss-to-pmtu ; OK
-p tcp -m tcp --tcp-flags SYN SYN -j TCPMSS --clamp-mss-to-pmtu --set-mss 7 ; -p tcp -m tcp --tcp-flags SYN SYN -j TCPMSS --set-mss 7 ; OK
-p tcp -m tcp --tcp-flags SYN SYN -j TCPMSS --set-mss 0 ; = ; OK
-p tcp -j TCPMSS --set-mss 7 ; ; FAIL ; legacy
-p tcp -j TCPMSS --set-mss 7 ; = ; OK ; nft
-p tcp -m tcp ! --tcp-flags SYN SYN -j TCPMSS --set-mss 7 ; ; FAIL ; legacy
-j TCPMSS --set-mss 7 ; ; FAIL
-p udp -j TCPMSS --set-mss 7 ; ; FAIL
-p tcp -m tcp --tcp-flags SYN SYN -j TCPMSS --set-mss 65536 ; ; FAIL
-p tcp -m tcp --tcp-flags SYN SYN -j TCPMSS ; ; FAIL
@4
-p tcp -m tcp --tcp-flags SYN SYN -j TCPMSS --set-mss 65515 ; = ; OK
-p tcp -m tcp --tcp-flags SYN SYN -j TCPMSS --set-mss 65516 ; ; FAIL
@6
-p tcp -m tcp --tcp-flags SYN SYN -j TCPMSS --set-mss 65495 ; = ; OK
-p tcp -m tcp --tcp-flags SYN SYN -j TCPMSS --set-mss 65496 ; ; FAIL
:PREROUTING,INPUT
-p tcp -m tcp --tcp-flags SYN SYN -j TCPMSS --set-mss 7 ; = ; OK
-p tcp -m tcp --tcp-flags SYN SYN -j TCPMSS --clamp-mss-to-pmtu ; ; FAIL
