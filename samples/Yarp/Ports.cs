namespace YarpSample;

internal static class Ports
{
    /// <summary>Returns the port of the first HTTP endpoint in <c>urls</c>.</summary>
    public static int Http(IConfiguration configuration)
    {
        var urls = configuration["urls"]?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        var http = Array.Find(urls, u => u.StartsWith("http://", StringComparison.OrdinalIgnoreCase));
        return http is null ? 80 : BindingAddress.Parse(http).Port;
    }
}
