package icons

// builtinTable is used when mime_table cannot be read: the endings met on file
// servers, with the icon names that 2.6's own table has.
const builtinTable = `
^internal-dirup$     -                         anthony-dirup.gif       -        -
^internal-(dir|menu|index)$ -                  anthony-dir.gif         -        -
^internal-link$      -                         anthony-link.gif        -        -
^internal-(text|view)$ -                       anthony-text.gif        -        -
^internal-image$     -                         anthony-image.gif       -        -
^internal-sound$     -                         anthony-sound.gif       -        -
^internal-movie$     -                         anthony-movie.gif       -        -
^internal-telnet$    -                         anthony-portal.gif      -        -
^internal-(binary|download)$ -                 anthony-box.gif         -        -
^internal-unknown$   -                         anthony-unknown.gif     -        -
\.gz$                -                         anthony-compressed.gif  gzip     image  +download
\.Z$                 -                         anthony-compressed.gif  compress image  +download
\.(bz2?|xz|zst)$     application/octet-stream  anthony-compressed.gif  -        image  +download
\.tgz$               application/x-tar         anthony-tar.gif         gzip     image  +download
\.(tar|gtar|ustar)$  application/x-tar         anthony-tar.gif         -        image  +download
\.zip$               application/zip           anthony-compressed.gif  -        image  +download
\.(s?h?tml?|xht(ml)?)$ text/html               anthony-layout.gif      -        ascii  +download +view
\.css$               text/css                  anthony-text.gif        -        ascii  +download +view
\.m?js$              text/javascript           anthony-script.gif      -        ascii  +download +view
\.json$              application/json          anthony-text.gif        -        ascii  +download +view
\.xml$               text/xml                  anthony-text.gif        -        ascii  +download +view
\.csv$               text/csv                  anthony-text.gif        -        ascii  +download +view
\.rtf$               text/rtf                  anthony-text.gif        -        ascii  +download +view
\.(c|cc|cpp|h|hpp)$  text/plain                anthony-c.gif           -        ascii  +download +view
\.(sh|csh|tcl|pl|py)$ text/plain               anthony-script.gif      -        ascii  +download +view
\.(txt|text|log|conf|cfg|ini|md|asc|diff|patch|lsm)$ text/plain anthony-text.gif - ascii +download +view
(^|/)(readme|copying|license|changelog|news|install|authors|makefile)[^/.]*$ text/plain anthony-text.gif - ascii +download +view
\.tex(i|info)?$      application/x-tex         anthony-tex.gif         -        ascii  +download +view
\.dvi$               application/x-dvi         anthony-dvi.gif         -        image  +download
\.pdf$               application/pdf           anthony-pdf.gif         -        image  +download
\.(ps|eps|ai)$       application/postscript    anthony-ps.gif          -        image  +download +view
\.gif$               image/gif                 anthony-image.gif       -        image  +download
\.jpe?g$             image/jpeg                anthony-image.gif       -        image  +download
\.png$               image/png                 anthony-image.gif       -        image  +download
\.webp$              image/webp                anthony-image.gif       -        image  +download
\.svg$               image/svg+xml             anthony-image.gif       -        ascii  +download
\.tiff?$             image/tiff                anthony-image.gif       -        image  +download
\.bmp$               image/bmp                 anthony-image.gif       -        image  +download
\.ico$               image/x-icon              anthony-image.gif       -        image  +download
\.x[bp]m$            image/x-xbitmap           anthony-xbm.gif         -        ascii  +download
\.(au|snd)$          audio/basic               anthony-sound.gif       -        image  +download
\.(mp3|mp2|mpga)$    audio/mpeg                anthony-sound.gif       -        image  +download
\.(ogg|oga|opus)$    audio/ogg                 anthony-sound.gif       -        image  +download
\.flac$              audio/flac                anthony-sound.gif       -        image  +download
\.wav$               audio/x-wav               anthony-sound.gif       -        image  +download
\.(mpe?g|mpe)$       video/mpeg                anthony-movie.gif       -        image  +download
\.(mp4|m4v)$         video/mp4                 anthony-movie.gif       -        image  +download
\.webm$              video/webm                anthony-movie.gif       -        image  +download
\.(mov|qt)$          video/quicktime           anthony-movie.gif       -        image  +download
\.avi$               video/x-msvideo           anthony-movie.gif       -        image  +download
\.rpm$               application/x-rpm         anthony-box2.gif        -        image  +download
\.deb$               application/vnd.debian.binary-package anthony-box2.gif - image +download
\.(bin|exe|dll|so|iso|img|o|a|dat)$ application/octet-stream anthony-box.gif - image +download
\.(cpio|bcpio|shar)$ application/octet-stream  anthony-box.gif         -        image  +download
.*                   text/plain                anthony-unknown.gif     -        image  +download +view
`
