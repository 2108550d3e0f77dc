:INPUT,FORWARD,OUTPUT
-m connlabel --label 0 ; -m connlabel --label "0" ; OK
-m connlabel --label 127 --set ; -m connlabel --label "127" --set ; OK
-m connlabel --set ! --label 0x10 ; -m connlabel ! --label "16" --set ; OK
# the number is kept in 16 bits
-m connlabel --label 65537 ; -m connlabel --label "1" ; OK
-m connlabel --label 128 ; ; FAIL
-m connlabel --label -1 ; ; FAIL
-m connlabel --label video ; ; FAIL
-m connlabel --label "" ; ; FAIL
-m connlabel --set ; ; FAIL
