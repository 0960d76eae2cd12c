using System.Net.Http.Headers;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Creates the User-Agent header (required by RFC 8555 section 6.1; servers respond with 400 without it).</summary>
internal static class UserAgent
{
    private static readonly string Version = typeof(UserAgent).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    public static IReadOnlyList<ProductInfoHeaderValue> Create(ProductInfoHeaderValue? product)
    {
        var own = new ProductInfoHeaderValue("KestrelAcme.Protocol", Version);
        var platform = new ProductInfoHeaderValue("dotnet", Environment.Version.ToString(3));
        return product is null ? [own, platform] : [product, own, platform];
    }
}
