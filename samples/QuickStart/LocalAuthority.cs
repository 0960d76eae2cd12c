using KestrelAcme.LocalAuthority;

namespace QuickStart;

/// <summary>Adds a local ACME authority in Development: no account, no network, no rate limits.</summary>
internal static class LocalAuthority
{
    /// <returns>The authority, or <see langword="null"/> in production or if the configuration names a CA.</returns>
    public static LocalAcmeAuthority? AddWhenDeveloping(WebApplicationBuilder builder)
    {
        if (!builder.Environment.IsDevelopment() || builder.Configuration["AcmeHttps:DirectoryUrl"] is not null)
        {
            return null;
        }

        var authority = builder.Services.AddLocalAcmeAuthority(options =>
        {
            options.Folder = Path.Combine(builder.Environment.ContentRootPath, ".kestrel-acme", "authority");
            options.ValidationHttpPort = HttpPort(builder.Configuration);
        });
        builder.Services.AddAcmeHttps(options =>
        {
            options.DirectoryUrl = authority.DirectoryUrl.ToString();
            options.TrustedRootsPath = authority.RootPemPath;
        });
        return authority;
    }

    // The authority connects to the port of this app instead of port 80, which requires privileges.
    private static int HttpPort(ConfigurationManager configuration)
    {
        var urls = configuration["urls"]?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        var http = urls.FirstOrDefault(u => u.StartsWith("http://", StringComparison.OrdinalIgnoreCase));
        return http is null ? 80 : BindingAddress.Parse(http).Port;
    }
}
