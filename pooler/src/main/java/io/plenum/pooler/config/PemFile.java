package io.plenum.pooler.config;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Certificates and private keys as OpenSSL writes them into files.
 *
 * <p>Keys in PKCS#8 (BEGIN PRIVATE KEY), PKCS#1 (BEGIN RSA PRIVATE KEY) and SEC 1 (BEGIN EC PRIVATE KEY). The JDK reads the
 * first; the others are its inner part, and get the frame that they lack. Encrypted keys are refused, for nobody is there to
 * type the password.
 */
final class PemFile {
    private static final String BEGIN = "-----BEGIN ";
    private static final String END = "-----END ";
    private static final String DASHES = "-----";

    private static final List<String> ALGORITHMS = List.of("RSA", "EC", "EdDSA", "RSASSA-PSS", "DSA");

    private static final byte[] VERSION_0 = {0x02, 0x01, 0x00};
    /** AlgorithmIdentifier of rsaEncryption, with its NULL. */
    private static final byte[] RSA = {
        0x30, 0x0D, 0x06, 0x09, 0x2A, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00
    };
    /** The object identifier id-ecPublicKey. */
    private static final byte[] EC = {0x06, 0x07, 0x2A, (byte) 0x86, 0x48, (byte) 0xCE, 0x3D, 0x02, 0x01};

    private static final byte SEQUENCE = 0x30;
    private static final byte OCTETS = 0x04;
    private static final int PARAMETERS = 0xA0;

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Block(String type, byte[] content) {}

    private PemFile() {}

    /** All certificates of the text, in its order; at least one. */
    static List<X509Certificate> certificates(String text) throws GeneralSecurityException {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        List<X509Certificate> certificates = new ArrayList<>();
        for (Block block : blocks(text)) {
            if (block.type().equals("CERTIFICATE")
                    || block.type().equals("TRUSTED CERTIFICATE")
                    || block.type().equals("X509 CERTIFICATE")) {
                certificates.add(
                        (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(block.content())));
            }
        }
        if (certificates.isEmpty()) {
            throw new CertificateException("has no certificate in PEM");
        }
        return certificates;
    }

    /** The first private key of the text. */
    static PrivateKey privateKey(String text) throws GeneralSecurityException {
        byte[] curve = null;
        for (Block block : blocks(text)) {
            switch (block.type()) {
                case "PRIVATE KEY" -> {
                    return key(block.content());
                }
                case "RSA PRIVATE KEY" -> {
                    return key(der(SEQUENCE, VERSION_0, RSA, der(OCTETS, block.content())));
                }
                case "EC PARAMETERS" -> curve = block.content();
                case "EC PRIVATE KEY" -> {
                    byte[] inside = parametersOf(block.content());
                    byte[] parameters = inside == null ? curve : inside;
                    if (parameters == null) {
                        throw new InvalidKeySpecException("has an EC key that does not name its curve");
                    }
                    byte[] algorithm = der(SEQUENCE, EC, parameters);
                    return key(der(SEQUENCE, VERSION_0, algorithm, der(OCTETS, block.content())));
                }
                case "ENCRYPTED PRIVATE KEY" ->
                    throw new InvalidKeySpecException("is encrypted; allowed: a key without a password");
                default -> {}
            }
        }
        throw new InvalidKeySpecException("has no private key in PEM");
    }

    private static PrivateKey key(byte[] pkcs8) throws GeneralSecurityException {
        var encoded = new PKCS8EncodedKeySpec(pkcs8);
        for (String algorithm : ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(encoded);
            } catch (InvalidKeySpecException otherAlgorithm) {
                // the next, then
            }
        }
        throw new InvalidKeySpecException("has a private key of a kind that is not known");
    }

    private static List<Block> blocks(String text) throws InvalidKeySpecException {
        List<Block> blocks = new ArrayList<>();
        int at = text.indexOf(BEGIN);
        while (at >= 0) {
            int typeEnd = text.indexOf(DASHES, at + BEGIN.length());
            String type = typeEnd < 0 ? "" : text.substring(at + BEGIN.length(), typeEnd);
            int end = typeEnd < 0 ? -1 : text.indexOf(END + type + DASHES, typeEnd);
            if (end < 0) {
                throw new InvalidKeySpecException("has a BEGIN without its END");
            }
            String body = text.substring(typeEnd + DASHES.length(), end);
            if (body.contains("Proc-Type:")) {
                throw new InvalidKeySpecException("is encrypted; allowed: a key without a password");
            }
            try {
                blocks.add(new Block(type, Base64.getMimeDecoder().decode(body)));
            } catch (IllegalArgumentException notBase64) {
                throw new InvalidKeySpecException("has a block that is not base64", notBase64);
            }
            at = text.indexOf(BEGIN, end);
        }
        return blocks;
    }

    /**
     * The curve that an ECPrivateKey names, null if it names none: SEQUENCE { INTEGER 1, OCTET STRING, [0] parameters,
     * [1] public key }, RFC 5915.
     */
    private static byte @Nullable [] parametersOf(byte[] key) throws InvalidKeySpecException {
        try {
            int at = contentAt(key, 0);
            at = contentAt(key, at) + lengthAt(key, at); // the version
            at = contentAt(key, at) + lengthAt(key, at); // the number
            if (at >= key.length || (key[at] & 0xFF) != PARAMETERS) {
                return null;
            }
            int from = contentAt(key, at);
            return Arrays.copyOfRange(key, from, from + lengthAt(key, at));
        } catch (ArrayIndexOutOfBoundsException cut) {
            throw new InvalidKeySpecException("has an EC key that ends too early", cut);
        }
    }

    /** The length of the content of the element that begins at {@code at}. */
    private static int lengthAt(byte[] der, int at) {
        int first = der[at + 1] & 0xFF;
        if (first < 0x80) {
            return first;
        }
        int length = 0;
        for (int i = 0; i < (first & 0x7F); i++) {
            length = (length << 8) | (der[at + 2 + i] & 0xFF);
        }
        return length;
    }

    private static int contentAt(byte[] der, int at) {
        int first = der[at + 1] & 0xFF;
        return at + 2 + (first < 0x80 ? 0 : first & 0x7F);
    }

    private static byte[] der(byte tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        int length = content.size();
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.write(tag);
        if (length < 0x80) {
            whole.write(length);
        } else if (length < 0x100) {
            whole.write(0x81);
            whole.write(length);
        } else {
            whole.write(0x82);
            whole.write(length >> 8);
            whole.write(length);
        }
        whole.writeBytes(content.toByteArray());
        return whole.toByteArray();
    }

    /** The text of a file: PEM is ASCII, and what stands around its blocks is not read. */
    static String text(byte[] file) {
        return new String(file, StandardCharsets.ISO_8859_1);
    }
}
