using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace KestrelAcme.LocalAuthority.Tests.Hosting;

internal sealed class LateEnvironment : IHostEnvironment
{
    public string EnvironmentName { get; set; } = "Staging";

    public string ApplicationName { get; set; } = "test";

    public string ContentRootPath { get; set; } = "/";

    public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
}
