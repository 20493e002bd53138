package icons

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"strings"
)

// palette of the drawn icons.
var palette = color.Palette{
	color.Transparent,
	color.RGBA{0x33, 0x33, 0x33, 0xff}, // # outline
	color.RGBA{0xff, 0xff, 0xff, 0xff}, // o paper
	color.RGBA{0xf2, 0xc9, 0x4c, 0xff}, // y folder
	color.RGBA{0x2f, 0x80, 0xed, 0xff}, // b accent
	color.RGBA{0xb0, 0xb0, 0xb0, 0xff}, // g shade
}

const inks = " #oybg"

// drawings are the shapes, 12 dots wide; a dot becomes two by two pixels.
var drawings = map[string]string{
	"paper": `
 ########
 #oooooo##
 #oooooo#g#
 #oooooo####
 #ooooooooo#
 #oggggggoo#
 #ooooooooo#
 #ogggggooo#
 #ooooooooo#
 #ogggggggo#
 #ooooooooo#
 ###########`,
	"folder": `

 #####
 #yyyy#
 ############
 #yyyyyyyyyy#
 #yyyyyyyyyy#
 #yyyyyyyyyy#
 #yyyyyyyyyy#
 #yyyyyyyyyy#
 ############`,
	"up": `
      b
     bbb
    bbbbb
   bbbbbbb
     bbb
     bbb
     bbb
 #   bbb   #
 #         #
 ###########`,
	"box": `

 ############
 #ggggggggggg#
 ############
 #oooo##oooo#
 #oooo##oooo#
 #oooooooooo#
 #oooooooooo#
 #oooooooooo#
 ############`,
	"picture": `

 ############
 #oooooooooo#
 #oyyooooooo#
 #oyyooobooo#
 #oooooobbbo#
 #oobooobbbb#
 #obbbobbbbb#
 #bbbbbbbbbb#
 ############`,
	"sound": `
       ##
      #o#
     #oo#   b
 #####oo# b b
 #oooooo# b b
 #oooooo# b b
 #####oo# b b
     #oo#   b
      #o#
       ##`,
	"link": `

  ####
 #    #
 #  ##########
 #  #        #
  ####  bb   #
    #  bbbb  #
    #   bb   #
    ##########`,
}

// shapes says which drawing an icon name gets, by what the name contains.
var shapes = []struct{ part, drawing string }{
	{"dirup", "up"}, {"dir", "folder"}, {"link", "link"}, {"portal", "link"}, {"image", "picture"}, {"xbm", "picture"},
	{"movie", "picture"}, {"sound", "sound"}, {"box", "box"}, {"tar", "box"}, {"compressed", "box"},
}

// draw makes a GIF for an icon name; a sheet of paper for those without a shape
// of their own.
func draw(name string) []byte {
	shape := "paper"
	for _, s := range shapes {
		if strings.Contains(name, s.part) {
			shape = s.drawing
			break
		}
	}
	const dot, columns, rows = 2, 13, 13
	img := image.NewPaletted(image.Rect(0, 0, columns*dot, rows*dot), palette)
	for y, line := range strings.Split(drawings[shape], "\n") {
		for x := 0; x < len(line) && x < columns; x++ {
			ink := uint8(max(0, strings.IndexByte(inks, line[x])))
			for i := range dot * dot {
				img.SetColorIndex(x*dot+i%dot, y*dot+i/dot, ink)
			}
		}
	}
	var out bytes.Buffer
	if err := gif.Encode(&out, img, &gif.Options{NumColors: len(palette)}); err != nil {
		return nil // cannot happen: writing to memory, a palette that fits
	}
	return out.Bytes()
}
