:INPUT,FORWARD,OUTPUT
-m hashlimit --hashlimit-upto 10/sec --hashlimit-burst 5 --hashlimit-name a ; = ; OK
-m hashlimit --hashlimit 10 --hashlimit-name a ; -m hashlimit --hashlimit-upto 10/sec --hashlimit-burst 5 --hashlimit-name a ; OK
-m hashlimit ! --hashlimit-upto 10/s --hashlimit-name a ; -m hashlimit --hashlimit-above 10/sec --hashlimit-burst 5 --hashlimit-name a ; OK
-m hashlimit ! --hashlimit-above 3/HOUR --hashlimit-name a ; -m hashlimit --hashlimit-upto 3/hour --hashlimit-burst 5 --hashlimit-name a ; OK
# rates come back in the unit that tells them best
-m hashlimit --hashlimit-upto 60/min --hashlimit-name a --hashlimit-htable-expire 60000 ; -m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-name a --hashlimit-htable-expire 60000 ; OK
-m hashlimit --hashlimit-upto 90/minute --hashlimit-name a ; -m hashlimit --hashlimit-upto 90/min --hashlimit-burst 5 --hashlimit-name a ; OK
-m hashlimit --hashlimit-upto 1/d --hashlimit-burst 1 --hashlimit-name a ; -m hashlimit --hashlimit-upto 1/day --hashlimit-burst 1 --hashlimit-name a ; OK
-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-mode dstport,srcip --hashlimit-name a ; -m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-mode srcip,dstport --hashlimit-name a ; OK
-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-mode "srcip|dstip" --hashlimit-name a ; -m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-mode srcip,dstip --hashlimit-name a ; OK
-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-mode srcip,srcport,dstip,dstport --hashlimit-name a ; = ; OK
-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-name a --hashlimit-htable-size 64 --hashlimit-htable-max 128 --hashlimit-htable-gcinterval 500 --hashlimit-htable-expire 3000 ; = ; OK
-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-name a --hashlimit-htable-gcinterval 1000 --hashlimit-htable-expire 1000 ; -m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-name a ; OK
-m hashlimit --hashlimit-upto 512kb/s --hashlimit-name a ; = ; OK
-m hashlimit --hashlimit-above 1mb/s --hashlimit-burst 2mb --hashlimit-name a ; = ; OK
# a burst of bytes is a number of seconds' worth
-m hashlimit --hashlimit-upto 1kb/s --hashlimit-burst 1025 --hashlimit-name a ; -m hashlimit --hashlimit-upto 1kb/s --hashlimit-burst 2kb --hashlimit-name a ; OK
-m hashlimit --hashlimit-upto 6/min --hashlimit-name a --hashlimit-rate-match ; -m hashlimit --hashlimit-upto 6/sec --hashlimit-burst 5 --hashlimit-name a --hashlimit-htable-expire 60000 --hashlimit-rate-match --hashlimit-rate-interval 60 ; OK
-m hashlimit --hashlimit-upto 9/sec --hashlimit-name a --hashlimit-rate-match --hashlimit-rate-interval 5x ; -m hashlimit --hashlimit-upto 9/sec --hashlimit-burst 5 --hashlimit-name a --hashlimit-rate-match --hashlimit-rate-interval 5 ; OK
# an interval alone is kept but not saved
-m hashlimit --hashlimit-upto 9/sec --hashlimit-name a --hashlimit-rate-interval 5 ; -m hashlimit --hashlimit-upto 9/sec --hashlimit-burst 5 --hashlimit-name a ; OK
-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 0 --hashlimit-name a ; ; FAIL
-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 1000001 --hashlimit-name a ; ; FAIL
-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5m --hashlimit-name a ; ; FAIL
-m hashlimit --hashlimit-upto 4kb/s --hashlimit-burst 1kb --hashlimit-name a ; ; FAIL
-m hashlimit --hashlimit-upto 0/sec --hashlimit-name a ; ; FAIL
-m hashlimit --hashlimit-upto 1/ --hashlimit-name a ; ; FAIL
-m hashlimit --hashlimit-upto 1/week --hashlimit-name a ; ; FAIL
-m hashlimit --hashlimit-upto 1000001/sec --hashlimit-name a ; ; FAIL
-m hashlimit --hashlimit-upto 1/sec --hashlimit-above 1/sec --hashlimit-name a ; ; FAIL
-m hashlimit --hashlimit-upto 1/sec --hashlimit 1/sec --hashlimit-name a ; ; FAIL
-m hashlimit --hashlimit-upto 1/sec --hashlimit-mode src --hashlimit-name a ; ; FAIL
-m hashlimit --hashlimit-upto 1/sec --hashlimit-name a --hashlimit-rate-match --hashlimit-rate-interval 0 ; ; FAIL
# what the kernel refuses: more credit than it can count, no cleaning, no age, a name that is no file name
-m hashlimit --hashlimit-upto 1/day --hashlimit-name a ; ; FAIL
-m hashlimit --hashlimit-upto 1/sec --hashlimit-name a --hashlimit-htable-gcinterval 0 ; ; FAIL
-m hashlimit --hashlimit-upto 1/sec --hashlimit-name a --hashlimit-htable-expire 0 ; ; FAIL
-m hashlimit --hashlimit-upto 1/sec --hashlimit-name a/b ; ; FAIL
-m hashlimit --hashlimit-upto 1/sec --hashlimit-name .. ; ; FAIL
-m hashlimit --hashlimit-upto 1/sec --hashlimit-name "" ; ; FAIL
@4
-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name a --hashlimit-srcmask 24 --hashlimit-dstmask 0 ; = ; OK
-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name a --hashlimit-srcmask 255.255.0.0 ; -m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name a --hashlimit-srcmask 16 ; OK
-m hashlimit --hashlimit-upto 5/sec --hashlimit-name a --hashlimit-srcmask 33 ; ; FAIL
-m hashlimit --hashlimit-upto 5/sec --hashlimit-name a --hashlimit-srcmask 255.0.255.0 ; ; FAIL
@6
-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name a --hashlimit-srcmask 64 ; = ; OK
-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name a --hashlimit-srcmask 128 ; -m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name a ; OK
-m hashlimit --hashlimit-upto 5/sec --hashlimit-name a --hashlimit-srcmask 129 ; ; FAIL
