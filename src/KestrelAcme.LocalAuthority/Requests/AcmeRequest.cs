using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>A request whose method, signature, URL and nonce have been checked.</summary>
internal sealed record AcmeRequest(string Method, Route Route, ResourceUrls Urls)
{
    private static readonly byte[] NoPayload = [];

    /// <summary>The URL that was asked for, as the client wrote it.</summary>
    public required string Url { get; init; }

    /// <summary>The account that signed; null for requests by key or without signature.</summary>
    public Account? Account { get; init; }

    /// <summary>The key that signed; null without signature.</summary>
    public AccountKey? Key { get; init; }

    public byte[] Payload { get; init; } = NoPayload;

    public bool IsPostAsGet => Payload.Length == 0;

    /// <summary>For resources that only an account reaches.</summary>
    public Account Signer => Account ?? throw Problem.Unauthorized("An account must sign this request.").ToException();

    public void RequirePostAsGet()
    {
        if (!IsPostAsGet)
        {
            throw Problem.Malformed("This resource is read with POST-as-GET: the payload must be empty.").ToException();
        }
    }

    public T Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(Payload, type) ?? throw Problem.Malformed("The payload is null.").ToException();
        }
        catch (JsonException e)
        {
            throw Problem.Malformed("The payload is not the expected JSON: " + e.Message).ToException();
        }
    }
}
