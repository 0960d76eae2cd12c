using System.Buffers.Binary;
using System.Text;

namespace KestrelAcme.Tests.Tls;

/// <summary>Builds valid and invalid ClientHellos.</summary>
internal sealed class ClientHelloBuilder
{
    public List<byte[]> ServerNames { get; } = [];

    public List<string> Alpn { get; } = [];

    public ushort[] SignatureAlgorithms { get; set; } = [0x0403, 0x0804, 0x0401, 0x0503];

    public ushort[] Versions { get; set; } = [0x0304, 0x0303];

    public ushort[] Suites { get; set; } = [0x1301, 0x1302, 0xC02B, 0xC02F];

    /// <summary>The supported groups; if empty, the extension is omitted.</summary>
    public ushort[] Groups { get; set; } = [];

    /// <summary>Extensions to add unchanged: type and content.</summary>
    public List<(ushort Type, byte[] Data)> Extensions { get; } = [];

    public bool WithoutExtensions { get; set; }

    public static ClientHelloBuilder For(string? name, params string[] alpn)
    {
        var builder = new ClientHelloBuilder();
        if (name is not null)
        {
            builder.ServerNames.Add(Encoding.Latin1.GetBytes(name));
        }

        builder.Alpn.AddRange(alpn);
        return builder;
    }

    /// <summary>Returns the bytes on the wire, in records of at most the given length.</summary>
    public byte[] Build(int recordLength = 16384)
    {
        var message = Message();
        var wire = new List<byte>();
        foreach (var part in message.Chunk(recordLength))
        {
            wire.AddRange([22, 3, 1, (byte)(part.Length >> 8), (byte)part.Length, .. part]);
        }

        return [.. wire];
    }

    private byte[] Message()
    {
        var body = new List<byte> { 3, 3 };
        body.AddRange(Enumerable.Repeat((byte)0x5A, 32));
        body.AddRange([0, .. Vector16(Pairs(Suites)), 1, 0]);
        if (!WithoutExtensions)
        {
            body.AddRange(Vector16(AllExtensions()));
        }

        return [1, (byte)(body.Count >> 16), (byte)(body.Count >> 8), (byte)body.Count, .. body];
    }

    private byte[] AllExtensions()
    {
        var all = new List<byte>();
        // GREASE first, as Chromium does.
        Add(all, 0x0A0A, []);
        if (ServerNames.Count > 0)
        {
            Add(all, 0, Vector16([.. ServerNames.SelectMany(name => (byte[])[0, .. Vector16(name)])]));
        }

        if (Groups.Length > 0)
        {
            Add(all, 10, Vector16(Pairs(Groups)));
        }

        if (Alpn.Count > 0)
        {
            Add(all, 16, Vector16([.. Alpn.SelectMany(name => (byte[])[(byte)name.Length, .. Encoding.ASCII.GetBytes(name)])]));
        }

        if (SignatureAlgorithms.Length > 0)
        {
            Add(all, 13, Vector16(Pairs(SignatureAlgorithms)));
        }

        if (Versions.Length > 0)
        {
            Add(all, 43, [(byte)(Versions.Length * 2), .. Pairs(Versions)]);
        }

        Extensions.ForEach(extension => Add(all, extension.Type, extension.Data));
        return [.. all];
    }

    private static void Add(List<byte> all, ushort type, byte[] data)
    {
        all.AddRange(Pairs([type]));
        all.AddRange(Vector16(data));
    }

    private static byte[] Vector16(byte[] content) => [(byte)(content.Length >> 8), (byte)content.Length, .. content];

    private static byte[] Pairs(ushort[] values)
    {
        var bytes = new byte[values.Length * 2];
        for (var i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2 * i), values[i]);
        }

        return bytes;
    }
}
