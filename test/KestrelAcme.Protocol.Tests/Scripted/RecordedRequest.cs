using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace KestrelAcme.Protocol.Tests.Scripted;

/// <summary>A request received by the scripted server.</summary>
internal sealed record RecordedRequest(HttpMethod Method, Uri Url, string? ContentType, string UserAgent, string? Body)
{
    public string Path => Url.AbsolutePath;

    public JsonElement Jws => JsonDocument.Parse(Body!).RootElement;

    public JsonElement Header => JsonDocument.Parse(Decode("protected")).RootElement;

    public string Payload => Decode("payload");

    public string? Nonce => Header.TryGetProperty("nonce", out var nonce) ? nonce.GetString() : null;

    private string Decode(string member) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(Jws.GetProperty(member).GetString()));
}
