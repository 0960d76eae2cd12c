using KestrelAcme.LocalAuthority;

namespace QuickStart;

/// <summary>The authority of a developer's machine: no account, no network, no limits.</summary>
internal static class LocalAuthority
{
    /// <returns>The authority, or <see langword="null"/> when this runs as a plain production app.</returns>
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
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AcmeHttps:DirectoryUrl"] = authority.DirectoryUrl.ToString(),
            ["AcmeHttps:TrustedRootsPath"] = authority.RootPemPath,
        });
        return authority;
    }

    // The authority asks where this app listens, not on port 80, which needs rights that a developer does not have.
    private static int HttpPort(ConfigurationManager configuration)
    {
        var urls = configuration["urls"]?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        var http = urls.FirstOrDefault(u => u.StartsWith("http://", StringComparison.OrdinalIgnoreCase));
        return http is null ? 80 : BindingAddress.Parse(http).Port;
    }
}
