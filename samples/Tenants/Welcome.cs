namespace Tenants;

internal static class Welcome
{
    /// <summary>Says what to try.</summary>
    public static void Print(IConfiguration configuration)
    {
        var https = Ports.Of(configuration, Uri.UriSchemeHttps);
        Console.WriteLine($"""

            Add a customer's domain, such as shop.localhost, at https://admin.localhost:{https}/
            Then be its first visitor, who waits for the certificate:
              curl --insecure --resolve shop.localhost:{https}:127.0.0.1 https://shop.localhost:{https}/
            A name that is not in the table gets none:
              curl --insecure --resolve other.localhost:{https}:127.0.0.1 https://other.localhost:{https}/

            """);
    }
}

internal static class Ports
{
    /// <summary>Returns the port of the first endpoint with a scheme in <c>urls</c>.</summary>
    public static int Of(IConfiguration configuration, string scheme)
    {
        var urls = configuration["urls"]?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        var url = Array.Find(urls, u => u.StartsWith($"{scheme}://", StringComparison.OrdinalIgnoreCase));
        return url is not null ? BindingAddress.Parse(url).Port : scheme == Uri.UriSchemeHttps ? 443 : 80;
    }
}
